package driver

import (
	"errors"
	"fmt"
)

// BLASLibraries are the names that cuBLASLt has, the newest first.
func BLASLibraries() []string { return []string{"libcublasLt.so.13", "libcublasLt.so.12"} }

// ErrNoBLAS says that cuBLASLt is not there, or not as it should be.
var ErrNoBLAS = errors.New("cuBLASLt cannot be used")

// Product describes C (M, N) = or += A (M, K) B (K, N) + Bias (N), as it lies in memory:
// A's rows are StepA elements apart or, turned, its columns; likewise B and C.
type Product struct {
	Type, Out        ProductType // of A and B, and of C and Bias
	TurnedA, TurnedB bool
	Bias             bool
	M, N, K          int
	StepA, StepB     int
	StepC            int
}

// ProductType is an element's type in CUDA's numbers (cudaDataType_t).
type ProductType int

// The types that products have.
const (
	ProductF32  ProductType = 0
	ProductF16  ProductType = 2
	ProductBF16 ProductType = 14
)

// BLASError is a status of cuBLASLt (cublasStatus_t), -1 where it knows no way.
type BLASError struct {
	Act    string
	Status int
}

func (e *BLASError) Error() string {
	if e.Status == -1 {
		return e.Act + ": cuBLASLt knows no way"
	}
	return fmt.Sprintf("%s: cuBLASLt says status %d", e.Act, e.Status)
}
