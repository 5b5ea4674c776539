package gpu

import "errors"

func openCUDA(int) (*Device, error) { return nil, errors.New("this build has no CUDA driver binding") }
