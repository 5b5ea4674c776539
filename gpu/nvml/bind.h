// attune_nvml_bind opens the library at path for good and binds every function to
// it. It returns why it could not, or null. The text is the caller's to copy at once.
const char *attune_nvml_bind(const char *path);

// attune_nvml_has says whether the bound library has a function of that name.
int attune_nvml_has(const char *name);
