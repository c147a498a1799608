package run

// The files of a run's directory.
const (
	ConfigFile  = "config.yaml"         // the resolved Config
	EventsFile  = "events.jsonl"        // one Event a line
	ResultFile  = "result.json"         // Result, written last
	WeightsFile = "weights.safetensors" // the last checkpoint: weights, batch-norm state
	BestFile    = "best.safetensors"    // the same of the best-validation epoch
	StateFile   = "state.json"          // where the last checkpoint stands
	FiltersFile = "filters.safetensors" // first-layer filters kept for pictures
	LockFile    = "lock"
)

// Tensor is one named array of a safetensors file.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}
