package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image/png"
	"io"

	"betalasso/paper"
	"betalasso/pictures"
	"betalasso/run"
)

// confusionPicture is the matrix of the run on a data set that has the best
// validation accuracy after its last epoch, or none.
func (p *page) confusionPicture(all []record, set paper.DataSet) (Picture, error) {
	var best *record
	for i, r := range all {
		if r.finished && r.config.Data == set.Name && len(r.result.Confusion) > 0 && (best == nil || r.result.Last.ValAcc > best.result.Last.ValAcc) {
			best = &all[i]
		}
	}
	if best == nil {
		return Picture{}, nil
	}
	r, why := best.result, ""
	if best.config.Val > 0 {
		why = ": the run with the best validation accuracy"
	}
	counts := make([][]int, len(r.Confusion))
	for i, row := range r.Confusion {
		counts[i] = row
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, pictures.Confusion(r.DataSet.Classes, counts)); err != nil {
		return Picture{}, err
	}
	pic := Picture{
		Title: set.Title, File: "confusion-" + set.Name, png: buf.Bytes(),
		Caption: fmt.Sprintf("%s, test accuracy %.2f %% after the last epoch%s", best.dir, 100*r.Last.TestAcc, why),
		Image:   template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(buf.Bytes())),
	}
	p.files["figures/"+pic.File+".png"] = func(w io.Writer) error { _, err := w.Write(pic.png); return err }
	p.files["tables/"+pic.File+".csv"] = func(w io.Writer) error { return run.WriteConfusion(w, r.DataSet.Classes, r.Confusion) }
	return pic, nil
}
