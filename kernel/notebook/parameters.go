package notebook

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// The tags of papermill: the cell with the defaults, and the one that is put behind it.
const (
	parametersTag = "parameters"
	injectedTag   = "injected-parameters"
)

// Parameter is a name and what it is to be: nil, bool, int64, float64, string, or
// a []any or map[string]any of such.
type Parameter struct {
	Name  string
	Value any
}

// ParseParameter reads a value as the command line gives it: True and False (true and
// false), None, whole numbers, numbers, lists and objects in JSON; all else is text.
func ParseParameter(name, text string) (Parameter, error) {
	if !isName(name) {
		return Parameter{}, fmt.Errorf("%q is not a name in Go", name)
	}
	p := Parameter{Name: name, Value: text}
	switch text {
	case "True", "true":
		p.Value = true
	case "False", "false":
		p.Value = false
	case "None":
		p.Value = nil
	default:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			p.Value = n
		} else if f, err := strconv.ParseFloat(text, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			p.Value = f
		} else if strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{") {
			dec := json.NewDecoder(strings.NewReader(text))
			dec.UseNumber()
			var v any
			if err := dec.Decode(&v); err != nil {
				return Parameter{}, fmt.Errorf("parameter %s: %w", name, err)
			}
			p.Value = v
		}
	}
	return p, nil
}

func isName(s string) bool {
	for i, c := range s {
		if c != '_' && !unicode.IsLetter(c) && (i == 0 || !unicode.IsDigit(c)) {
			return false
		}
	}
	return s != ""
}

// assignments is the text of the cell that sets the parameters. The magic keeps the
// types that the defaults were declared with, and declares what has no default.
func assignments(params []Parameter) (string, error) {
	var b strings.Builder
	b.WriteString("// Parameters\n%%parameters\n")
	for _, p := range params {
		text, typ, err := literal(p.Value)
		if err != nil {
			return "", fmt.Errorf("parameter %s: %w", p.Name, err)
		}
		fmt.Fprintf(&b, "%s = %s\n", p.Name, withType(typ, text))
	}
	return b.String(), nil
}

// withType puts the type before the braces of a composite.
func withType(typ, text string) string {
	if strings.HasPrefix(text, "{") {
		return typ + text
	}
	return text
}

// literal writes a value in Go, and its type. The text of a composite begins with its
// braces: within another one its type is left out.
func literal(v any) (text, typ string, err error) {
	switch v := v.(type) {
	case nil:
		return "nil", "any", nil
	case bool:
		return strconv.FormatBool(v), "bool", nil
	case int64:
		return strconv.FormatInt(v, 10), "int", nil
	case float64:
		return float(v), "float64", nil
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return literal(n)
		}
		f, err := v.Float64()
		return float(f), "float64", err
	case string:
		text, err := marshal(v)
		return string(text), "string", err
	case []any:
		return composite(v, nil)
	case map[string]any:
		keys := slices.Sorted(maps.Keys(v))
		values := make([]any, len(keys))
		for i, k := range keys {
			values[i] = v[k]
		}
		return composite(values, keys)
	}
	return "", "", errors.New("there is no Go literal for it")
}

// float is a number that Go takes for a float64 and no int.
func float(f float64) string {
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

// composite writes a list, or with keys a map, of the one type that fits all values.
func composite(values []any, keys []string) (text, typ string, err error) {
	parts := make([]string, len(values))
	types := make([]string, len(values))
	elem := ""
	for i, v := range values {
		if parts[i], types[i], err = literal(v); err != nil {
			return "", "", err
		}
		switch {
		case elem == "" || elem == types[i]:
			elem = types[i]
		case (elem == "int" || elem == "float64") && (types[i] == "int" || types[i] == "float64"):
			elem = "float64"
		default:
			elem = "any"
		}
	}
	if elem == "" {
		elem = "any"
	}
	for i := range parts {
		if elem == "any" {
			parts[i] = withType(types[i], parts[i])
		}
		if keys != nil {
			key, err := marshal(keys[i])
			if err != nil {
				return "", "", err
			}
			parts[i] = string(key) + ": " + parts[i]
		}
	}
	typ = "[]" + elem
	if keys != nil {
		typ = "map[string]" + elem
	}
	return "{" + strings.Join(parts, ", ") + "}", typ, nil
}

// inject puts the parameters into the notebook: in place of those put in before, else
// behind the cell with the defaults, else at the top.
func (n *Notebook) inject(params []Parameter) error {
	source, err := assignments(params)
	if err != nil {
		return err
	}
	c, err := n.newCell("code", source, injectedTag)
	if err != nil {
		return err
	}
	find := func(tag string) int {
		return slices.IndexFunc(n.Cells, func(c *Cell) bool { return c.tagged(tag) })
	}
	if i := find(injectedTag); i >= 0 {
		n.Cells[i] = c
	} else {
		n.Cells = slices.Insert(n.Cells, find(parametersTag)+1, c)
	}
	return nil
}

// names tells whether a cell of code that the notebook's author wrote has the word name.
func (n *Notebook) names(name string) bool {
	word := regexp.MustCompile(`(^|[^\pL\pN_])` + regexp.QuoteMeta(name) + `($|[^\pL\pN_])`)
	return slices.ContainsFunc(n.Cells, func(c *Cell) bool {
		return c.Type == "code" && !c.tagged(injectedTag) && word.MatchString(c.Source)
	})
}

// values are the parameters as the notebook's metadata keeps them.
func values(params []Parameter) map[string]any {
	all := make(map[string]any, len(params))
	for _, p := range params {
		all[p.Name] = p.Value
	}
	return all
}
