package check_test

import "testing"

// TestGenericOverEarlierType: a generic function and the type that it is used with both
// come from earlier cells.
func TestGenericOverEarlierType(t *testing.T) {
	c, scope := checker(t)
	if _, err := c.Check(2, "p, _ := pair(point)\np.X", scope); err != nil {
		t.Error(err.Problems)
	}
}
