package export

import (
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"betalasso/data"
	"betalasso/model"
	"betalasso/nn"
	"betalasso/run"
)

// python is an interpreter that has the module, or the test is skipped.
func python(t *testing.T, module string) string {
	t.Helper()
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(name, "-c", "import "+module).Run() == nil {
			return name
		}
	}
	t.Skipf("no python3 here has %s", module)
	return ""
}

// snippet is the first Python program of a page of the documentation.
func snippet(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "```python\n")
	code, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("docs/%s has no Python program", page)
	}
	return code
}

// compareTorch evaluates each exported run by the documentation's program, and
// wants the tensors to be exactly those that the network has in PyTorch.
const compareTorch = `
import sys
from array import array
from network import load, network, from_file

torch.set_num_threads(1)
def read(path):
    return torch.frombuffer(bytearray(open(path, "rb").read()), dtype=torch.float32)
x = read("pixels").reshape(-1, 3, 32, 32)
for name in sys.argv[1:]:
    net, mean, std = from_file(name + ".safetensors")
    tensors, meta = load(name + ".safetensors")
    assert tensors["bn1.num_batches_tracked" if "conv1.weight" in tensors else "bnfc1.num_batches_tracked"] == 4, "4 batches"
    for key, v in net.state_dict().items():
        assert tensors[key].shape == v.shape and tensors[key].dtype in (v.dtype, torch.bfloat16), key
    with torch.no_grad():
        y = net((x - mean) / std)
    open(name + ".logits", "wb").write(bytes(array("f", y.flatten().tolist())))
`

// TestTorch compares all built-in networks to the program in docs/export.md.
func TestTorch(t *testing.T) {
	interpreter := python(t, "torch")
	dir := t.TempDir()
	writeFloats(t, filepath.Join(dir, "pixels"), pixels())
	os.WriteFile(filepath.Join(dir, "network.py"), []byte(snippet(t, "export.md")), 0o666)
	os.WriteFile(filepath.Join(dir, "compare.py"), []byte("import torch\n"+compareTorch), 0o666)
	wanted := map[string][]float32{}
	for _, name := range run.Models {
		n := made(t, name)
		if err := n.WriteSafetensors(filepath.Join(dir, name+".safetensors"), false); err != nil {
			t.Fatal(err)
		}
		wanted[name] = logits(t, n)
	}
	names := slices.Clone(run.Models)
	for _, name := range []string{"s-fc", "s-conv", "s-local"} { // with few weights left, in the sparse form
		n := made(t, name)
		thin(n)
		sparse := name + "-sparse"
		if err := n.WriteSafetensors(filepath.Join(dir, sparse+".safetensors"), true); err != nil {
			t.Fatal(err)
		}
		wanted[sparse] = logits(t, n)
		names = append(names, sparse)
		w, err := Read(filepath.Join(dir, sparse+".safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		c := w.Config
		back, err := w.Network(device(t), c, n.Size)
		if err != nil {
			t.Fatal(err)
		}
		back.Mean, back.Std = w.Mean, w.Std
		near(t, sparse+", read again", logits(t, back), wanted[sparse])
	}
	for _, name := range []string{"s-fc", "s-conv", "s-local"} { // in bfloat16, a matrix of zeros among them
		n := made(t, name)
		thin(n)
		zero(n.Net.Params()[0])
		n.Round(0)
		list := n.StateDict()
		for i := range list {
			if list[i].Rows != nil {
				list[i].DType = "BF16"
			}
		}
		name += "-bf16"
		if _, err := run.WriteTensors(filepath.Join(dir, name+".safetensors"), list, n.meta()); err != nil {
			t.Fatal(err)
		}
		wanted[name] = logits(t, n)
		names = append(names, name)
	}
	program := exec.Command(interpreter, append([]string{"compare.py"}, names...)...)
	program.Dir = dir
	if text, err := program.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, name := range names {
		near(t, name, readFloats(t, filepath.Join(dir, name+".logits")), wanted[name])
	}
}

// thin keeps every ninth weight of a network's matrices.
func thin(n *Network) {
	for _, p := range n.Net.Params() {
		rows, cols := p.Shape()
		if p.Weights == nil {
			continue
		}
		row := make([]float32, cols)
		for i := range rows {
			p.Read(row, i)
			for k := range row {
				if (i+k)%9 != 0 {
					row[k] = 0
				}
			}
			p.Write(i, row)
		}
	}
}

// zero sets the weights of p to 0.
func zero(p *nn.Param) {
	rows, cols := p.Shape()
	for i := range rows {
		p.Write(i, make([]float32, cols))
	}
}

// makeTorch saves networks that PyTorch has made, with their logits. Their
// images are normalised otherwise than here.
const makeTorch = `
import sys
from array import array
import torch
from network import network, save

torch.set_num_threads(1)
torch.manual_seed(1)
x = torch.frombuffer(bytearray(open("pixels", "rb").read()), dtype=torch.float32).reshape(-1, 3, 32, 32)
for name in sys.argv[1:]:
    net = network(name, width=12) if name == "3-fc" else network(name, alpha=2, kernel=5)
    norms = [m for m in net.modules() if isinstance(m, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d))]
    for m in norms:
        m.momentum = 1
        torch.nn.init.uniform_(m.weight, 0.5, 1.5)
        torch.nn.init.uniform_(m.bias, -0.5, 0.5)
    mean = torch.tensor(MEAN).reshape(-1, 1, 1)
    with torch.no_grad():
        net((x - mean) / 0.25)
        y = net.eval()((x - mean) / 0.25)
    save(name + ".safetensors", net.state_dict())
    open(name + ".logits", "wb").write(bytes(array("f", y.flatten().tolist())))
`

// TestFromTorch imports networks made by the program in docs/export.md.
func TestFromTorch(t *testing.T) {
	interpreter := python(t, "torch")
	dir := t.TempDir()
	writeFloats(t, filepath.Join(dir, "pixels"), pixels())
	mean, std := data.MeanStd(digits.Train, 3)
	os.WriteFile(filepath.Join(dir, "network.py"), []byte(snippet(t, "export.md")), 0o666)
	os.WriteFile(filepath.Join(dir, "make.py"), []byte(strings.Replace(makeTorch, "MEAN", text(mean), 1)), 0o666)
	program := exec.Command(interpreter, append([]string{"make.py"}, run.Models...)...)
	program.Dir = dir
	if text, err := program.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, name := range run.Models {
		w, err := Read(filepath.Join(dir, name+".safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		c := w.Config
		if c.Model != name {
			t.Errorf("%s: taken for %q", name, c.Model)
		}
		n, err := w.Network(device(t), c, model.Size{Alpha: c.Alpha, Width: c.Width, Kernel: c.Kernel, Channels: 3, Side: 32, Classes: 10, Batch: 100})
		if err != nil {
			t.Fatal(err)
		}
		n.Mean, n.Std = mean, []float64{0.25, 0.25, 0.25}
		if exact, err := n.Renormalise(mean, std); err != nil || !exact {
			t.Fatalf("%s: exact %v, %v", name, exact, err)
		}
		near(t, name, logits(t, n), readFloats(t, filepath.Join(dir, name+".logits")))
	}
}

func writeFloats(t *testing.T, path string, list []float32) {
	t.Helper()
	var text []byte
	for _, x := range list {
		text = binary.LittleEndian.AppendUint32(text, math.Float32bits(x))
	}
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
}

func readFloats(t *testing.T, path string) []float32 {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []float32
	for ; len(text) >= 4; text = text[4:] {
		list = append(list, math.Float32frombits(binary.LittleEndian.Uint32(text)))
	}
	return list
}
