package json

import "github.com/sockeye-tools/sockeye/diag/field"

// schemaID names the schema. Its last part changes when a name or a meaning does, never when names are added.
const schemaID = "https://github.com/sockeye-tools/sockeye/schema/v1"

// Schema returns the JSON Schema (draft 2020-12) of what list, ss and netstat print: an array of sockets or of groups with --output json, and
// one of them a line with ndjson.
func Schema() []byte {
	b := []byte(`{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"` + schemaID + `",` +
		`"title":"sockeye list, ss and netstat with --output json","type":"array","items":{"anyOf":[{"$ref":"#/$defs/socket"},{"$ref":"#/$defs/group"}]},"$defs":{`)
	b = append(b, `"socket":{"description":"one socket; what the kernel did not tell is absent","type":"object","additionalProperties":false,"properties":{`...)
	for _, f := range field.All {
		if !f.Many && !f.Shown {
			b = appendProperty(b, f)
		}
	}
	b = append(AppendKey(b, "owners"), `{"description":"the processes that hold the socket; absent if none is known: see no_owner","type":"array","minItems":1,"items":{"$ref":"#/$defs/owner"}}`...)
	b = append(b, `}},"owner":{"description":"a process","type":"object","additionalProperties":false,"required":["pid"],"properties":{`...)
	for _, f := range field.All {
		if f.Many {
			b = appendProperty(b, f)
		}
	}
	b = append(b, `}},"group":{"description":"--group-by: the keys, and figures such as count or avg_rtt_us over the sockets that have the field","type":"object","additionalProperties":false,"required":["count"],"properties":{`...)
	b = append(AppendKey(b, "count"), `{"type":"integer","minimum":1}`...)
	for _, f := range field.All {
		b = appendProperty(b, f)
	}
	b = append(AppendKey(b, "local_prefix"), `{"type":"string"}`...)
	b = append(AppendKey(b, "peer_prefix"), `{"type":"string"}`...)
	return append(b, `},"patternProperties":{"^(sum|min|max|avg|p[0-9]{1,2})_":{"type":"integer","minimum":0}}}}}`+"\n"...)
}

func appendProperty(b []byte, f *field.Field) []byte {
	b = append(AppendKey(b, f.Key), '{')
	doc := f.Doc
	if f.Unit != field.None {
		doc += " (" + f.Unit.String() + ")"
	}
	if f.Since != "" {
		doc += "; Linux " + f.Since
	}
	b = AppendString(AppendKey(b, "description"), doc)
	switch f.Kind {
	case field.Number:
		b = append(b, `,"type":"integer","minimum":0`...)
	case field.Flag:
		b = append(b, `,"type":"boolean"`...)
	default:
		b = append(b, `,"type":"string"`...)
	}
	return append(b, '}')
}
