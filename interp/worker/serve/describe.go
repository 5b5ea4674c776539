package serve

import (
	"fmt"
	"reflect"
	"runtime"

	"attune/interp/worker"
)

// describe tells what was recovered; call it from the deferred function.
func describe(v any) *worker.Failure {
	f := &worker.Failure{Text: wordPanic(v)}
	_, f.Runtime = v.(runtime.Error)
	pcs := make([]uintptr, 128)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	panicking := false
	for {
		fr, more := frames.Next()
		if panicking {
			f.Frames = append(f.Frames, worker.Frame{Func: fr.Function, File: fr.File, Line: fr.Line})
		}
		if fr.Function == "runtime.gopanic" {
			panicking = true // the newest panic; below are those that its deferred call followed
		}
		if !more {
			return f
		}
	}
}

// wordPanic words a panic's value as the runtime does.
func wordPanic(v any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("(%T)", v)
		}
	}()
	switch v := v.(type) {
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	case string:
		return v
	}
	switch reflect.ValueOf(v).Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return fmt.Sprintf("%T(%v)", v, v)
	}
	return fmt.Sprintf("(%T) %+v", v, v)
}
