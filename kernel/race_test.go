//go:build race

package kernel_test

// raceDetector says that memory is not as without it.
const raceDetector = true
