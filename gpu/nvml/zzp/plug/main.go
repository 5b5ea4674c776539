package main
import "attune/gpu/nvml"
func Run() error { _, err := nvml.Open(); return err }
func main(){}
