// Package worker is the front's handle on the process that runs cells.
// The process owns the user's values, runs what it is told and
// reports events. Client starts it, feeds it, reads
// its output and says how it died. Requests and events cross as frames on pipes of
// their own, never on the user's standard streams.
//
// The child's side, worker/serve, imports interp/yaegi,
// interp/native/cellrt and display. The front must not link those, so this package
// holds what both sides share, the frames, and the Client.
// It imports display/mime and the standard library.
package worker

import (
	"encoding/json"
	"strings"

	"attune/display/mime"
)

// Request is a frame from the front to the worker: one of its fields is set.
type Request struct {
	Run    *Run
	Stop   *Stop
	Ack    uint64   // display Ack has been taken
	Forget []string // keys whose storage is not needed any more
	List   *List
	Answer *Answer
	Memory *Memory
	Asleep int // a run that seems to wait for itself
}

// Run asks the worker to run a cell, natively or interpreted, or to handle a comm's
// message. It answers with Done. Several may be under way.
type Run struct {
	ID   int
	Comm *Comm
	// Native is a built plugin; Bind alone binds its functions and runs nothing.
	Native *Native
	// Straight is a cell for the instant engine, packed.
	Straight []byte
	// Errors tells for each value of the last expression whether its type is error.
	Errors []bool
	// Runes tells which of them are written as rune; there may be fewer.
	Runes []bool
	// Quiet asks for no rendering of the result.
	Quiet bool
	// Cell names a user's cell for the monitor, Bar asks for a line of meters below it.
	Cell string
	Bar  bool
}

// Native is a plugin file and the hash that names what it exports.
type Native struct {
	File, Hash string
	BindOnly   bool
	// Literals are the constants that the cell's statements are run with.
	Literals []any
}

// Straight is a cell that is interpreted over the session's memory.
type Straight struct {
	Imports []Import
	Vars    []Var
	Funcs   []Ref
	Types   []Ref
	// Stands are the functions that end a process, "os.Exit" or "log.Fatal", by their
	// own names: the text calls what ends the cell in their stead by StandName.
	Stands []string
	// Instances are instances of generic functions and of min and max, by the names that
	// symbols/list knows.
	Instances []Ref
	// Needs are the unnamed types of the body's values. The worker refuses the cell
	// unless compiled code has each: a type made by reflection alone would differ
	// from the one that a later compiled cell has.
	Needs []*TypeRef
	// Loops are the nests of loops whose length depends on variables of earlier cells.
	// The worker refuses the cell if the body of one would run more than MaxTimes.
	Loops [][]Extent
	Body  string
	File  string
	Line  int
}

// StandName is a text's name of what stands for the function of that name.
func StandName(name string) string { return "e_" + strings.Replace(name, ".", "_", 1) }

// Import is a package under a name.
type Import struct{ Name, Path string }

// Ref is a session's function or type: the name in the text and the key.
type Ref struct{ Name, Key string }

// Var is a variable that the text names. A variable without a key takes a value of
// the last expression.
type Var struct {
	Name, Key string
	Type      *TypeRef
}

// Stop asks the running cell ID to end.
type Stop struct{ ID int }

// List asks for the size and head of what the keys hold; the answer is a Listing.
type List struct {
	ID   int
	Keys []string
	// Busy: a cell may be changing the values. Then only those are measured and drawn
	// that half a change cannot make dangerous to read.
	Busy bool
}

// Memory asks who holds attune's own memory; the answer is a Listing's Text.
type Memory struct {
	ID int
	// Vars are the session's variables.
	Vars []Ref
	// Free gives cached memory, and that of values nobody reaches, back first.
	Free bool
}

// Event is a frame from the worker to the front: one of its fields is set.
type Event struct {
	Ready   *Ready
	Display *Display
	Clear   *Clear
	Done    *Done
	Async   *Failure // a goroutine of a cell panicked
	Late    *Late
	Listing *Listing
	Comm    *Comm
	Ask     *Ask
	// Run is the ID of the run that a Display, Clear, Async, Late, Comm or Ask comes from,
	// which may be over; 0 for a goroutine that is of none.
	Run int
	// Long lists the texts of the frame's bundle that follow it.
	Long  []Long
	Begun *Begun
	// Stopping is the ID of a run that is being interrupted: from here on none of its
	// statements begins.
	Stopping int
}

// Ready is the first event of a worker.
type Ready struct{ PID int }

// Display shows a bundle; the front answers it with Ack, so that what is printed
// after it comes after it.
type Display struct {
	Seq    uint64
	Bundle mime.Bundle
	ID     string
	Update bool
}

// Begun says that Event.Run begins beside others: until here the text of the pipes was
// theirs. The front answers it with Ack, and no statement runs before.
type Begun struct{ Seq uint64 }

// Late is text that a goroutine printed whose run is over, or goes on beside others.
type Late struct {
	Stderr bool
	Text   []byte
}

// Clear removes the cell's output.
type Clear struct {
	Seq  uint64
	Wait bool
}

// Comm is a message of a comm, in the words of stdlib/comm.
type Comm struct {
	Kind, ID, Target string
	Data, Metadata   json.RawMessage
	Buffers          [][]byte
}

// Ask asks the user for a line; the front answers it with Answer.
type Ask struct {
	Seq      uint64
	Prompt   string
	Password bool
}

// Answer is the line, or why there is none.
type Answer struct {
	Seq       uint64
	Text, Err string
}

// Done is how a Run ended.
type Done struct {
	ID int
	// NotStraight says why the instant engine refused; nothing has run.
	NotStraight string
	Failure     *Failure
	Interrupted bool
	// Detached: an interrupt was not obeyed in time; the cell's goroutine goes on
	// unheard until it reaches a safepoint.
	Detached bool
	Exited   bool
	ExitCode int
	Result   *mime.Bundle
	Nanos    int64
}

// Failure is a panic, or an error of the worker itself when Internal is set.
type Failure struct {
	Text     string
	Runtime  bool
	Internal bool
	Fatal    bool // what ends a program without a panic
	Async    bool // in a goroutine other than the cell's own
	Frames   []Frame
}

// Frame is one call of the user's, innermost first.
type Frame struct {
	Func, File string
	Line, Col  int
}

// Listing answers List, key by key, and Memory, in a text.
type Listing struct {
	ID    int
	Items []Item
	Text  string
}

// Item is what a key holds: its bytes, shared memory counted once, and a short text.
type Item struct {
	Key   string
	Bytes int64
	Text  string
	Type  string
}

// TypeRef is a type, spelled out so that the worker can build it by reflection.
type TypeRef struct {
	Kind  TypeKind
	Name  string // basic name, or the name in Pkg; a session type's key
	Pkg   string
	Len   int64
	Elem  *TypeRef
	Key   *TypeRef
	In    []*TypeRef
	Out   []*TypeRef
	Varia bool
}

// TypeKind is the form of a TypeRef.
type TypeKind int

// The forms of types that cross.
const (
	Basic TypeKind = iota
	Named
	Session
	Pointer
	Slice
	Array
	Map
	Chan
	Func
	EmptyInterface
)
