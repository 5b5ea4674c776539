// Command gen makes the symbol tables of the instant engine: for each package in
// packages.txt a z_ file that lists its exported names, and for each group the
// text that stdlib/symbols/list embeds. It reads the export data that the go
// command builds, so it sees exactly what the compiler sees. It imports the
// standard library only.
//
//	go run ./stdlib/gen          all groups
//	go run ./stdlib/gen -own     attune's own packages alone (a second or two)
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	ownOnly := flag.Bool("own", false, "refresh the tables of attune's own packages alone")
	root := flag.String("C", ".", "folder of the module")
	flag.Parse()
	if err := run(*root, *ownOnly); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(root string, ownOnly bool) error {
	groups, err := readGroups()
	if err != nil {
		return err
	}
	for _, g := range groups {
		if ownOnly && g.name != ownGroup {
			continue
		}
		files, err := g.generate(root)
		if err != nil {
			return err
		}
		if err := write(root, g, files); err != nil {
			return err
		}
	}
	return nil
}
