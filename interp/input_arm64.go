package interp

// readCall is the number of the read system call.
const readCall = "63"
