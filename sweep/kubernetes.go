package sweep

import "github.com/goccy/go-yaml"

// KubernetesDir is the folder of a study's directory that keeps the manifest.
const KubernetesDir = "kubernetes"

// Kubernetes is how a study's trials become the indices of an Indexed Job.
type Kubernetes struct {
	Name        string // of the Job; a DNS label
	Namespace   string // "": kubectl's
	Image       string // that has betalasso in its path
	Claim       string // the volume claim that holds the study's directory
	SubPath     string // of the directory in the volume; "": its root
	MaxParallel int    // pods at a time; 0: all
	CPUs        int
	Mem         string // "": no request
}

// studyMount is where a pod sees the study's directory.
const studyMount = "/study"

// object is a mapping of a manifest, in its order.
type object = yaml.MapSlice

// Manifest is the Indexed Job of the given number of trials, for kubectl apply. An index is
// a trial's. Status 42 fails its index at once; 75 and a pod that the cluster
// took away cost no attempt; what else ends a pod is tried again, as often as futile says.
func (k Kubernetes) Manifest(trials int) ([]byte, error) {
	parallel := trials
	if k.MaxParallel > 0 {
		parallel = min(parallel, k.MaxParallel)
	}
	mount := object{{Key: "name", Value: "study"}, {Key: "mountPath", Value: studyMount}}
	if k.SubPath != "" {
		mount = append(mount, yaml.MapItem{Key: "subPath", Value: k.SubPath})
	}
	wanted := object{{Key: "cpu", Value: k.CPUs}}
	if k.Mem != "" {
		wanted = append(wanted, yaml.MapItem{Key: "memory", Value: k.Mem})
	}
	exits := func(action string, code int) object {
		return object{{Key: "action", Value: action}, {Key: "onExitCodes", Value: object{
			{Key: "containerName", Value: "worker"}, {Key: "operator", Value: "In"}, {Key: "values", Value: []int{code}},
		}}}
	}
	meta := object{{Key: "name", Value: k.Name}}
	if k.Namespace != "" {
		meta = append(meta, yaml.MapItem{Key: "namespace", Value: k.Namespace})
	}
	worker := object{
		{Key: "name", Value: "worker"},
		{Key: "image", Value: k.Image},
		{Key: "command", Value: []string{"betalasso", "sweep", "work", studyMount, "--index", "$(JOB_COMPLETION_INDEX)"}},
		{Key: "env", Value: []object{
			// The batch controller names the index; fetched data stay in the volume.
			{{Key: "name", Value: "JOB_COMPLETION_INDEX"}, {Key: "valueFrom", Value: object{{Key: "fieldRef", Value: object{
				{Key: "fieldPath", Value: "metadata.annotations['batch.kubernetes.io/job-completion-index']"}}}}}},
			{{Key: "name", Value: "XDG_CACHE_HOME"}, {Key: "value", Value: studyMount + "/cache"}},
			{{Key: "name", Value: "GOMAXPROCS"}, {Key: "valueFrom", Value: object{{Key: "resourceFieldRef", Value: object{
				{Key: "resource", Value: "requests.cpu"}}}}}},
		}},
		{Key: "resources", Value: object{{Key: "requests", Value: wanted}}},
		{Key: "volumeMounts", Value: []object{mount}},
	}
	return yaml.Marshal(object{
		{Key: "apiVersion", Value: "batch/v1"},
		{Key: "kind", Value: "Job"},
		{Key: "metadata", Value: meta},
		{Key: "spec", Value: object{
			{Key: "completionMode", Value: "Indexed"},
			{Key: "completions", Value: trials},
			{Key: "parallelism", Value: parallel},
			{Key: "backoffLimitPerIndex", Value: futile},
			{Key: "podFailurePolicy", Value: object{{Key: "rules", Value: []object{
				exits("FailIndex", CodeNoRetry),
				exits("Ignore", CodeSaved),
				{{Key: "action", Value: "Ignore"}, {Key: "onPodConditions", Value: []object{{{Key: "type", Value: "DisruptionTarget"}, {Key: "status", Value: "True"}}}}},
			}}}},
			{Key: "template", Value: object{{Key: "spec", Value: object{
				{Key: "restartPolicy", Value: "Never"},
				{Key: "terminationGracePeriodSeconds", Value: 120},
				{Key: "containers", Value: []object{worker}},
				{Key: "volumes", Value: []object{{
					{Key: "name", Value: "study"},
					{Key: "persistentVolumeClaim", Value: object{{Key: "claimName", Value: k.Claim}}},
				}}},
			}}}},
		}},
	})
}
