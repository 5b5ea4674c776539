package kerneltest

import (
	_ "embed" // the schemas
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"attune/kernel/jupyter"
)

//go:embed messages.json
var messages []byte

// Schemas say what each message of a kernel may hold. messages.json has them, and
// says how to read them; the tests in Python read the same file.
type Schemas struct {
	Header, Failure     any
	IOPub, Stdin, Reply map[string]any
}

// ReadSchemas reads them.
func ReadSchemas() (*Schemas, error) {
	s := new(Schemas)
	if err := json.Unmarshal(messages, s); err != nil {
		return nil, fmt.Errorf("read schemas: %w", err)
	}
	return s, nil
}

// Check says what is wrong with a message of the kernel on a channel: "iopub",
// "stdin", or "reply" for shell and control.
func (s *Schemas) Check(channel string, m *jupyter.Message) error {
	var header, content any
	if err := errors.Join(json.Unmarshal(m.RawHeader, &header), json.Unmarshal(m.Content, &content)); err != nil {
		return err
	}
	kind := m.Header.MsgType
	if err := fits(s.Header, header); err != nil {
		return fmt.Errorf("%s: header%w", kind, err)
	}
	schema, ok := map[string]map[string]any{"iopub": s.IOPub, "stdin": s.Stdin, "reply": s.Reply}[channel][kind]
	if channel == "reply" && fits(s.Failure, content) == nil {
		return nil
	}
	if !ok {
		return fmt.Errorf("%s has no place on %s", kind, channel)
	}
	if err := fits(schema, content); err != nil {
		return fmt.Errorf("%s: content%w: %s", kind, err, m.Content)
	}
	return nil
}

// fits says where and why value is not what schema says.
func fits(schema, value any) error {
	switch schema := schema.(type) {
	case string:
		return fitsType(schema, value)
	case []any:
		list, ok := value.([]any)
		if !ok {
			return fmt.Errorf(" is a %T and no list", value)
		}
		for i, v := range list {
			if err := fits(schema[0], v); err != nil {
				return fmt.Errorf("[%d]%w", i, err)
			}
		}
		return nil
	case map[string]any:
		return fitsObject(schema, value)
	}
	return fmt.Errorf(": the schema has a %T", schema)
}

func fitsType(schema string, value any) error {
	ok := false
	switch schema {
	case "any":
		ok = true
	case "str":
		_, ok = value.(string)
	case "int":
		n, num := value.(float64)
		ok = num && n == math.Trunc(n)
	case "num":
		_, ok = value.(float64)
	case "bool":
		_, ok = value.(bool)
	case "dict":
		_, ok = value.(map[string]any)
	case "date":
		text, _ := value.(string)
		_, err := time.Parse(time.RFC3339Nano, text)
		ok = err == nil
	case "mime":
		return fitsBundle(value)
	default:
		text, isText := value.(string)
		ok = isText && slices.Contains(strings.Split(schema[1:], "|"), text) || value == nil && schema == "=null"
	}
	if !ok {
		return fmt.Errorf(" is %.60v and not %s", value, schema)
	}
	return nil
}

// fitsBundle: text but for JSON types, with a plain form at least.
func fitsBundle(value any) error {
	data, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf(" is a %T and no bundle", value)
	}
	if _, ok := data["text/plain"].(string); !ok {
		return errors.New(" has no text/plain")
	}
	for kind, v := range data {
		if _, ok := v.(string); !ok && !strings.HasSuffix(kind, "json") {
			return fmt.Errorf("[%s] is a %T", kind, v)
		}
	}
	return nil
}

func fitsObject(schema map[string]any, value any) error {
	if forms, ok := schema["of"].([]any); ok {
		var errs []error
		for _, form := range forms {
			err := fits(form, value)
			if err == nil {
				return nil
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	}
	if elems, ok := schema["tuple"].([]any); ok {
		list, ok := value.([]any)
		if !ok || len(list) != len(elems) {
			return fmt.Errorf(" is %.60v and no list of %d", value, len(elems))
		}
		for i, v := range list {
			if err := fits(elems[i], v); err != nil {
				return fmt.Errorf("[%d]%w", i, err)
			}
		}
		return nil
	}
	object, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf(" is a %T and no object", value)
	}
	return fitsFields(schema, object)
}

func fitsFields(schema, object map[string]any) error {
	if every, ok := schema["*"]; ok {
		for name, v := range object {
			if err := fits(every, v); err != nil {
				return fmt.Errorf(".%s%w", name, err)
			}
		}
		return nil
	}
	for name, form := range schema {
		field, optional := strings.CutSuffix(name, "?")
		v, there := object[field]
		if !there && optional {
			continue
		}
		if !there {
			return fmt.Errorf(".%s is missing", field)
		}
		if err := fits(form, v); err != nil {
			return fmt.Errorf(".%s%w", field, err)
		}
	}
	for name := range object {
		if _, must := schema[name]; must {
			continue
		}
		if _, may := schema[name+"?"]; !may {
			return fmt.Errorf(".%s is not in the protocol", name)
		}
	}
	return nil
}
