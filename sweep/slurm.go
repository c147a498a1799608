package sweep

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// SlurmDir is the folder of a study's directory with what was submitted to Slurm:
// the scripts, the binary that they run, and the last Submission.
const SlurmDir = "slurm"

// Slurm is how a study's trials become tasks of a job array.
type Slurm struct {
	Partition   string   `json:"partition,omitempty"`
	Time        string   `json:"time,omitempty"` // a task's limit, as sbatch takes it
	Account     string   `json:"account,omitempty"`
	QOS         string   `json:"qos,omitempty"`
	Constraint  string   `json:"constraint,omitempty"`
	Mem         string   `json:"mem,omitempty"`
	CPUs        int      `json:"cpus"`         // of a task, and its threads
	MaxParallel int      `json:"max_parallel"` // tasks at a time; 0: no limit
	Warning     int      `json:"warning"`      // seconds before the limit at which a task saves itself
	Options     []string `json:"options,omitempty"`
}

// Submission is one array, and the job that looks after it: slurm/submission.json.
type Submission struct {
	Slurm   Slurm  `json:"slurm"`
	Program string `json:"program"` // file name of the frozen binary in SlurmDir
	Array   string `json:"array"`   // the array's job ID
	Keeper  string `json:"keeper"`  // the job that runs after it
	Round   int    `json:"round"`   // from 1
	Rounds  int    `json:"rounds"`  // at most this many
}

// header are the #SBATCH lines that the scripts of a study share.
func (s Slurm) header(name, log string) string {
	var b strings.Builder
	line := func(option, value string) {
		if value != "" {
			fmt.Fprintf(&b, "#SBATCH --%s=%q\n", option, value)
		}
	}
	line("job-name", name)
	line("output", log)
	line("open-mode", "append")
	line("partition", s.Partition)
	line("account", s.Account)
	line("qos", s.QOS)
	line("constraint", s.Constraint)
	b.WriteString("#SBATCH --nodes=1\n#SBATCH --ntasks=1\n")
	return b.String()
}

// more are the user's own #SBATCH lines. The last of two equal options counts.
func (s Slurm) more() string {
	var b strings.Builder
	for _, o := range s.Options {
		fmt.Fprintf(&b, "#SBATCH --%s\n", o)
	}
	return b.String()
}

// Tasks is the script of the array, whose tasks are trials by index. dir and
// program are absolute paths.
//
// Slurm sends USR2 to the script alone, some time before a task's limit. The
// program then saves and ends, and the script puts this one task back into the
// queue, by the name ARRAY_TASK: the last task of an array has the array's own
// ID, and would put all of it back. TERM without USR2 is a preemption, after
// which Slurm itself brings the task back, or a user's scancel, after which
// nothing may bring it back.
func (s Slurm) Tasks(name, dir, program string) string {
	var b strings.Builder
	b.WriteString("#!/bin/bash\n")
	b.WriteString(s.header(name, filepath.Join(slurmPath(dir), LogsDir, "slurm-%A_%a.log")))
	if s.Time != "" {
		fmt.Fprintf(&b, "#SBATCH --time=%q\n", s.Time)
	}
	if s.Mem != "" {
		fmt.Fprintf(&b, "#SBATCH --mem=%q\n", s.Mem)
	}
	fmt.Fprintf(&b, "#SBATCH --cpus-per-task=%d\n#SBATCH --requeue\n#SBATCH --signal=B:USR2@%d\n", s.CPUs, s.Warning)
	b.WriteString(s.more())
	fmt.Fprintf(&b, `
limit=
trap 'limit=1; kill -USR2 "$task" 2>/dev/null' USR2
trap 'kill -TERM "$task" 2>/dev/null' TERM
%s sweep work %s --index "$SLURM_ARRAY_TASK_ID" --threads "${SLURM_CPUS_PER_TASK:-%d}" &
task=$!
wait "$task"
while kill -0 "$task" 2>/dev/null; do wait "$task"; done # a trap ends a wait early
wait "$task"
status=$?
if [ "$status" = %d ] && [ -n "$limit" ]; then
	scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
fi
exit "$status"
`, shellQuote(program), shellQuote(dir), s.CPUs, CodeSaved)
	return b.String()
}

// Keeper is the script of the job that runs when the array has ended, for
// whatever reason: it submits the trials that are still open again.
func (s Slurm) Keeper(name, dir, program string) string {
	return "#!/bin/bash\n" +
		s.header(name+"-keeper", filepath.Join(slurmPath(dir), LogsDir, "slurm-keeper.log")) +
		"#SBATCH --cpus-per-task=1\n" +
		fmt.Sprintf("\nexec %s sweep continue %s\n", shellQuote(program), shellQuote(dir))
}

// Array is the value of sbatch's --array for trials of these indices.
func (s Slurm) Array(indices []int) string {
	sorted := slices.Sorted(slices.Values(indices))
	var parts []string
	for i := 0; i < len(sorted); {
		j := i
		for j+1 < len(sorted) && sorted[j+1] == sorted[j]+1 {
			j++
		}
		if i == j {
			parts = append(parts, strconv.Itoa(sorted[i]))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", sorted[i], sorted[j]))
		}
		i = j + 1
	}
	text := strings.Join(parts, ",")
	if s.MaxParallel > 0 {
		text += "%" + strconv.Itoa(s.MaxParallel)
	}
	return text
}

// slurmPath is a path for the value of --output, where % begins a pattern.
func slurmPath(path string) string { return strings.ReplaceAll(path, "%", "%%") }

// shellQuote is text as one word of a shell.
func shellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
