package sweep

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestArrayOfIndices(t *testing.T) {
	for _, c := range []struct {
		indices []int
		most    int
		want    string
	}{
		{[]int{3}, 0, "3"},
		{[]int{0, 1, 2, 3}, 0, "0-3"},
		{[]int{7, 0, 2, 1, 5}, 2, "0-2,5,7%2"},
	} {
		if got := (Slurm{MaxParallel: c.most}).Array(c.indices); got != c.want {
			t.Errorf("%v: got %s, want %s", c.indices, got, c.want)
		}
	}
}

// slurmScript runs the script of the array with a program of its own, and gives
// what the program and scontrol were told.
func slurmScript(t *testing.T, program string, signals string) (status int, told string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "it's 100 % here")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	self := write("program", "#!/bin/bash\necho program \"$@\" >> \"$TOLD\"\n"+program)
	write("scontrol", "#!/bin/bash\necho scontrol \"$@\" >> \"$TOLD\"\n")
	script := write("tasks.sh", Slurm{CPUs: 3, Warning: 60}.Tasks("name", dir, self))
	c := exec.Command("bash", "-c", `bash "$0" & task=$!; `+signals+` wait $task`, script)
	c.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "TOLD="+filepath.Join(dir, "told"),
		"SLURM_ARRAY_TASK_ID=5", "SLURM_ARRAY_JOB_ID=40", "SLURM_JOB_ID=40", "SLURM_CPUS_PER_TASK=3")
	out, err := c.CombinedOutput()
	text, _ := os.ReadFile(filepath.Join(dir, "told"))
	if err != nil && c.ProcessState == nil {
		t.Fatal(err, string(out))
	}
	return c.ProcessState.ExitCode(), strings.ReplaceAll(string(text), dir, "DIR")
}

func TestSlurmTask(t *testing.T) {
	const begun = "program sweep work DIR --index 5 --threads 3\n"
	const waits = "trap 'exit 75' USR2 TERM; for i in $(seq 100); do sleep .1; done; exit 9\n"
	for name, c := range map[string]struct {
		program, signals string
		status           int
		told             string
	}{
		"done":                                   {"exit 0\n", "", 0, begun},
		"failed":                                 {"exit 42\n", "", 42, begun},
		"killed":                                 {"kill -KILL $$\n", "", 137, begun},
		"the limit puts this one task back":      {waits, "sleep .5; kill -USR2 $task;", 75, begun + "scontrol requeue 40_5\n"},
		"a preemption or scancel leaves it":      {waits, "sleep .5; kill -TERM $task;", 75, begun},
		"saved for a full disk: no endless loop": {"exit 75\n", "", 75, begun},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if status, told := slurmScript(t, c.program, c.signals); status != c.status || told != c.told {
				t.Errorf("got status %d and %q, want %d and %q", status, told, c.status, c.told)
			}
		})
	}
}

func TestSlurmScripts(t *testing.T) {
	s := Slurm{Partition: "gpu", Time: "04:00:00", Account: "lab", QOS: "low", Constraint: "avx512", Mem: "4G", CPUs: 8, Warning: 90, Options: []string{"exclude=n1"}}
	tasks := s.Tasks("betalasso-x", "/s/a b%", "/s/p")
	for _, w := range []string{
		`--job-name="betalasso-x"`, `--output="/s/a b%%/logs/slurm-%A_%a.log"`, `--partition="gpu"`, `--account="lab"`, `--qos="low"`, `--constraint="avx512"`,
		`--time="04:00:00"`, `--mem="4G"`, "--cpus-per-task=8", "--requeue", "--signal=B:USR2@90", "--exclude=n1", "--open-mode=\"append\"",
	} {
		if strings.Count(tasks, "#SBATCH "+w+"\n") != 1 {
			t.Errorf("the script does not have %q once:\n%s", w, tasks)
		}
	}
	keeper := s.Keeper("betalasso-x", "/s/a b%", "/s/p")
	if !strings.HasSuffix(keeper, "\nexec '/s/p' sweep continue '/s/a b%'\n") || strings.Contains(keeper, "--time") || !strings.Contains(keeper, `--account="lab"`) {
		t.Errorf("got the keeper\n%s", keeper)
	}
}

func TestKubernetesManifest(t *testing.T) {
	text, err := Kubernetes{Name: "betalasso-x", Image: "lab/betalasso:1", Claim: "studies", SubPath: "x", MaxParallel: 4, CPUs: 8, Mem: "4Gi"}.Manifest(40)
	if err != nil {
		t.Fatal(err)
	}
	var job struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct{ Name string }
		Spec       struct {
			CompletionMode       string `yaml:"completionMode"`
			Completions          int
			Parallelism          int
			BackoffLimitPerIndex int `yaml:"backoffLimitPerIndex"`
			PodFailurePolicy     struct {
				Rules []struct {
					Action      string
					OnExitCodes struct {
						Operator string
						Values   []int
					} `yaml:"onExitCodes"`
					OnPodConditions []struct{ Type, Status string } `yaml:"onPodConditions"`
				}
			} `yaml:"podFailurePolicy"`
			Template struct {
				Spec struct {
					RestartPolicy string `yaml:"restartPolicy"`
					Containers    []struct {
						Image        string
						Command      []string
						VolumeMounts []struct {
							MountPath string `yaml:"mountPath"`
							SubPath   string `yaml:"subPath"`
						} `yaml:"volumeMounts"`
						Resources struct{ Requests map[string]any }
					}
					Volumes []struct {
						PersistentVolumeClaim struct {
							ClaimName string `yaml:"claimName"`
						} `yaml:"persistentVolumeClaim"`
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal(text, &job); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	s := job.Spec
	if job.APIVersion != "batch/v1" || job.Kind != "Job" || job.Metadata.Name != "betalasso-x" || s.CompletionMode != "Indexed" ||
		s.Completions != 40 || s.Parallelism != 4 || s.BackoffLimitPerIndex != 3 {
		t.Errorf("got %+v", job)
	}
	if r := s.PodFailurePolicy.Rules; len(r) != 3 || r[0].Action != "FailIndex" || r[0].OnExitCodes.Values[0] != 42 ||
		r[1].Action != "Ignore" || r[1].OnExitCodes.Values[0] != 75 || r[2].OnPodConditions[0].Type != "DisruptionTarget" || r[2].OnPodConditions[0].Status != "True" {
		t.Errorf("got the rules %+v", r)
	}
	pod := s.Template.Spec
	c := pod.Containers[0]
	if pod.RestartPolicy != "Never" || c.Image != "lab/betalasso:1" || pod.Volumes[0].PersistentVolumeClaim.ClaimName != "studies" ||
		strings.Join(c.Command, " ") != "betalasso sweep work /study --index $(JOB_COMPLETION_INDEX)" ||
		c.VolumeMounts[0].MountPath != "/study" || c.VolumeMounts[0].SubPath != "x" || c.Resources.Requests["memory"] != "4Gi" {
		t.Errorf("got the pod %+v", pod)
	}
}
