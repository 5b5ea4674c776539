package main
import ("fmt";"plugin";"os";"attune/gpu/nvml")
func main(){ _,err:=nvml.Open(); fmt.Println("host:",err); p,err:=plugin.Open(os.Args[1]); if err!=nil { fmt.Println("LOAD",err); return }; f,_:=p.Lookup("Run"); fmt.Println("plug:", f.(func() error)()) }
