package worker

// MaxTimes is how often the body of the innermost loop may run: some milliseconds
// of the instant engine, which a compiled cell needs 50 times over to be built.
const MaxTimes = 1000

// Extent is how large a value is at most, a number's distance from 0 or a length: N
// and the extents of the variables with the keys Of.
type Extent struct {
	N  int64
	Of []string
}

// Times is how often the body of the innermost of nested loops runs at most, beyond
// MaxTimes only that it is more. The function measure gives the extent of a variable;
// without it they count as 0.
func Times(loops []Extent, measure func(key string) int64) int64 {
	times := int64(1)
	for _, e := range loops {
		n := e.N
		for _, key := range e.Of {
			if measure != nil {
				n = min(n, MaxTimes) + max(0, min(measure(key), MaxTimes))
			}
		}
		if times *= min(max(n, 1), MaxTimes+1); times > MaxTimes {
			return MaxTimes + 1
		}
	}
	return times
}
