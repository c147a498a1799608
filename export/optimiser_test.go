package export

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"betalasso/compute"
	"betalasso/nn"
	"betalasso/optim"
)

// stepTorch trains by the optimiser in docs/pytorch.md, beside the states that
// this project leaves after each step, and compares every parameter. Each step
// begins with this project's weights, so that a weight which rounding carries
// over the threshold stays a difference of one step.
const stepTorch = `
import sys
import torch
from betalasso import BetaLasso, groups
from network import load, network

torch.set_num_threads(1)
model, steps, batch, lr, beta, lambda_conv, lambda_fc = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *map(float, sys.argv[4:])
def read(path, kind):
    return torch.frombuffer(bytearray(open(path, "rb").read()), dtype=kind)
images = read("images", torch.float32).reshape(-1, 3, 32, 32)
labels = read("labels", torch.uint8).long()

net = network(model, alpha=2)
optimizer = BetaLasso(groups(net, lambda_conv, lambda_fc), lr=lr, beta=beta)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
cut = returned = straddled = 0
worst = 0.0
for step in range(steps):
    net.load_state_dict(load(f"{model}-{step}")[0])
    net.train()
    before = [w.detach().clone() for w in net.parameters()]
    part = torch.arange(step * batch, (step + 1) * batch) % len(labels)
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(net(images[part]), labels[part]).backward()
    optimizer.step()
    schedule.step()
    want = load(f"{model}-{step + 1}")[0]
    for group, old in zip(optimizer.param_groups, before):
        (w,) = group["params"]
        name = next(n for n, p in net.named_parameters() if p is w)
        ours, got, threshold = want[name], w.detach(), group["beta"] * group["lam"]
        off = (got - ours).abs()
        edge = ((got == 0) != (ours == 0)) & ((off - threshold).abs() <= 1e-6) & (group["lam"] > 0)
        straddled += edge.sum().item()
        off[edge] = 0
        worst = max(worst, off.max().item())
        assert off.max() <= 1e-6, f"{model}, step {step + 1}: {name} differs by {off.max():.2g}, at {off.argmax()}"
        cut += ((old != 0) & (got == 0)).sum().item()
        returned += ((old == 0) & (got != 0)).sum().item() if group["lam"] > 0 else 0
assert abs(optimizer.param_groups[0]["lr"]) < 1e-12, "the schedule ends at 0"
assert cut > 1000 and returned > 10, f"{cut} weights were cut and {returned} returned: too few to show anything"
assert straddled < 20, f"{straddled} weights on either side of the threshold"
print(f"{model}: the largest difference {worst:.2g}, {cut} cut, {returned} returned, {straddled} at the threshold")
`

// TestPyTorchOptimiser takes the steps of docs/pytorch.md's β-lasso and ours
// side by side.
func TestPyTorchOptimiser(t *testing.T) {
	interpreter := python(t, "torch")
	const steps, batch, lr, beta, lambdaConv, lambdaFC = 6, 50, 0.5, 50, 1e-4, 2e-5
	rule := optim.BetaLasso{Beta: beta, LambdaConv: lambdaConv, LambdaFC: lambdaFC}
	dir := t.TempDir()
	for name, page := range map[string]string{"network.py": "export.md", "betalasso.py": "pytorch.md"} {
		os.WriteFile(filepath.Join(dir, name), []byte(snippet(t, page)), 0o666)
	}
	os.WriteFile(filepath.Join(dir, "step.py"), []byte(stepTorch), 0o666)
	for _, name := range []string{"s-fc", "s-conv"} {
		t.Run(name, func(t *testing.T) {
			n := made(t, name)
			x := input(t, n)
			writeFloats(t, filepath.Join(dir, "images"), x.Data)
			labels := make([]byte, digits.Test.Len())
			for i, l := range digits.Test.Labels {
				labels[i] = byte(l)
			}
			os.WriteFile(filepath.Join(dir, "labels"), labels, 0o666)
			dev := device(t)
			dlogits := dev.Alloc(batch, n.Size.Classes)
			for step := range steps + 1 {
				if err := n.WriteSafetensors(filepath.Join(dir, fmt.Sprintf("%s-%d", name, step)), false); err != nil {
					t.Fatal(err)
				}
				first := step * batch % x.Rows
				part := compute.Mat{Rows: batch, Cols: x.Cols, Data: x.Data[first*x.Cols : (first+batch)*x.Cols]}
				dev.CrossEntropy(dlogits, n.Net.Forward(part, true), digits.Test.Labels[first:first+batch])
				n.Net.Backward(dlogits, func(g nn.Group) compute.Update {
					return rule.Update(g, optim.Cosine(lr, step, steps))
				})
			}
			program := exec.Command(interpreter, "step.py", name, fmt.Sprint(steps), fmt.Sprint(batch),
				fmt.Sprint(lr), fmt.Sprint(beta), fmt.Sprint(lambdaConv), fmt.Sprint(lambdaFC))
			program.Dir = dir
			text, err := program.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			t.Log(strings.TrimSpace(string(text)))
		})
	}
}
