package watch

import (
	"reflect"
	"testing"
)

// FuzzPosition: what a browser sends back never breaks the server, and what the
// server makes of it is what it would send again.
func FuzzPosition(f *testing.F) {
	f.Add("ABC-12,0123456789ab:120.60.0badcafe,ffffffffffff:0.0.00000000")
	f.Add(",:,a:b:c,-")
	f.Fuzz(func(t *testing.T, text string) {
		p := parsePosition(text)
		if again := parsePosition(p.String()); !reflect.DeepEqual(again, p) {
			t.Errorf("%q: got %+v, then %+v", text, p, again)
		}
	})
}
