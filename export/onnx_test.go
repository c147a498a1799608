package export

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"betalasso/compute"
	"betalasso/nn"
	"betalasso/run"
)

// onnxFiles writes all built-in networks as ONNX files into dir, and gives their
// logits.
func onnxFiles(t *testing.T, dir string) map[string][]float32 {
	t.Helper()
	wanted := map[string][]float32{}
	for _, name := range onnxModels {
		n := made(t, name)
		if name == "s-fc" || name == "s-conv" { // one takes numbers, one an image
			n.Net.Whiten = whitening(t, n)
		}
		text, err := n.ONNX()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".onnx"), text, 0o666); err != nil {
			t.Fatal(err)
		}
		wanted[name] = logits(t, n)
	}
	return wanted
}

// traps is a network whose layers are called as other values of a graph are, and whose
// residual adds what is no image to one.
const traps = `name: traps
layers:
  - {layer: conv, name: image, out: 4, kernel: 3}
  - {layer: norm, name: a, relu: true}
  - {layer: conv, name: a_relu, out: 4, kernel: 3}
  - {layer: conv, name: pool, out: 4, kernel: 3, stride: 2}
  - {layer: average-pool, kernel: 2}
  - layer: residual
    body: [{layer: conv, name: sum, out: 4, kernel: 3}]
    shortcut: [{layer: spread, name: mean, out: 4, kernel: 3}]
  - {layer: norm, name: std, relu: true}
  - {layer: relu}
  - {layer: conv, name: relu, out: 4, kernel: 3}
  - {layer: fc, name: logits, out: 16}
  - {layer: norm, name: flat, relu: true}
  - {layer: fc, name: fc2, out: classes, bias: true}
`

// onnxModels are the networks that are exported.
var onnxModels = append(slices.Clone(run.Models), "traps")

// whitening multiplies n's input by a symmetric matrix near that of the unit.
func whitening(t *testing.T, n *Network) *nn.Whitening {
	t.Helper()
	z := compute.Mat{Rows: 3072, Cols: 3072, Data: make([]float32, 3072*3072)}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range z.Rows {
		z.Data[i*z.Cols+i] = 1
		for range 5 {
			j, v := r.IntN(z.Cols), r.Float32()-0.5
			z.Data[i*z.Cols+j] += v
			z.Data[j*z.Cols+i] += v
		}
	}
	return nn.NewWhitening(device(t), n.Size.Batch, z)
}

// TestONNXChecker has the files checked, shapes and all, by the format's own
// checker.
func TestONNXChecker(t *testing.T) {
	interpreter := python(t, "onnx")
	dir := t.TempDir()
	onnxFiles(t, dir)
	const program = `
import sys, onnx
from onnx import checker, shape_inference
for name in sys.argv[1:]:
    m = onnx.load(name + ".onnx")
    checker.check_model(m, full_check=True)
    m = shape_inference.infer_shapes(m, strict_mode=True)
    known = {v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in list(m.graph.value_info) + list(m.graph.output)}
    assert known["logits"] == ["N", 10], known["logits"]
    assert {p.key: p.value for p in m.metadata_props}["model"] == name
    print(name, len(m.graph.node), "nodes", sorted({n.op_type for n in m.graph.node}))
`
	cmd := exec.Command(interpreter, append([]string{"-c", program}, onnxModels...)...)
	cmd.Dir = dir
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	t.Logf("%s", text)
}

// TestONNXRuntime runs the files in npm's onnxruntime-web.
func TestONNXRuntime(t *testing.T) {
	dir := t.TempDir()
	node := withPackage(t, dir, "onnxruntime-web@1.22.0")
	wanted := onnxFiles(t, dir)
	writeFloats(t, filepath.Join(dir, "pixels"), pixels())
	const program = `
const ort = require('onnxruntime-web');
const fs = require('fs');
ort.env.wasm.numThreads = 1;
(async () => {
  const raw = fs.readFileSync('pixels');
  const x = new Float32Array(raw.buffer, raw.byteOffset, raw.length / 4);
  for (const name of process.argv.slice(2)) {
    const session = await ort.InferenceSession.create(fs.readFileSync(name + '.onnx'), {executionProviders: ['wasm']});
    const {logits} = await session.run({image: new ort.Tensor('float32', x, [x.length / 3072, 3, 32, 32])});
    if (logits.dims.join() !== x.length / 3072 + ',10') throw new Error(name + ': ' + logits.dims);
    fs.writeFileSync(name + '.logits', Buffer.from(logits.data.buffer, logits.data.byteOffset, logits.data.byteLength));
  }
})().catch(e => { console.error(e); process.exit(1); });
`
	if err := os.WriteFile(filepath.Join(dir, "run.js"), []byte(program), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, append([]string{"run.js"}, onnxModels...)...)
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, name := range onnxModels {
		near(t, name, readFloats(t, filepath.Join(dir, name+".logits")), wanted[name])
	}
}

// withPackage installs an npm package into a folder and gives the path of node,
// or the test is skipped.
func withPackage(t *testing.T, dir, name string) (node string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node here")
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", name)
	install.Dir = dir
	if text, err := install.CombinedOutput(); err != nil {
		t.Skipf("npm cannot install %s: %v\n%s", name, err, text)
	}
	return node
}
