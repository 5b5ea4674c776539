package display

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"image"
	_ "image/gif" // so that GIF's size can be read for its text form
	"math"
	"strings"

	"attune/display/mime"
)

// A format is a kind of file that a browser shows by itself, told by its first bytes.
type format struct {
	typ, name string
	magic     string
	at        int
	// then, where set, stands at thenAt: containers carry several formats.
	then   string
	thenAt int
}

// formats lists what Media knows. Types of containers are those that browsers ask for.
func formats() []format {
	return []format{
		{typ: mime.PNG, name: "PNG", magic: "\x89PNG\r\n\x1a\n"},
		{typ: mime.JPEG, name: "JPEG", magic: "\xff\xd8\xff"},
		{typ: mime.GIF, name: "GIF", magic: "GIF8"},
		{typ: mime.WebP, name: "WebP", magic: "RIFF", then: "WEBP", thenAt: 8},
		{typ: "audio/wav", name: "WAV", magic: "RIFF", then: "WAVE", thenAt: 8},
		{typ: "audio/mpeg", name: "MP3", magic: "ID3"},
		{typ: "audio/mpeg", name: "MP3", magic: "\xff\xfb"},
		{typ: "audio/flac", name: "FLAC", magic: "fLaC"},
		{typ: "audio/ogg", name: "Ogg", magic: "OggS"},
		{typ: "video/webm", name: "WebM", magic: "\x1a\x45\xdf\xa3"},
		{typ: "audio/mp4", name: "M4A", magic: "ftyp", at: 4, then: "M4A", thenAt: 8},
		{typ: "video/mp4", name: "MP4", magic: "ftyp", at: 4},
	}
}

func (f format) is(data []byte) bool {
	has := func(s string, at int) bool {
		return len(data) >= at+len(s) && string(data[at:at+len(s)]) == s
	}
	return has(f.magic, f.at) && (f.then == "" || has(f.then, f.thenAt))
}

// mostMedia bounds what is put into a notebook: browsers and Jupyter grow slow beyond.
const mostMedia = 64 << 20

// Media shows the bytes of a picture (PNG, JPEG, GIF, WebP), of sound (WAV, MP3, FLAC,
// Ogg, M4A) or of a film (MP4, WebM), sound and films with a player. They become part
// of the notebook. Render does the same with a []byte of such a format.
func Media(data []byte) mime.Bundle {
	b, ok := media(data)
	if !ok {
		return errorBundle(fmt.Errorf("show %s: no format that is known begins like this", plural(len(data), "byte")))
	}
	return b
}

func media(data []byte) (mime.Bundle, bool) {
	for _, f := range formats() {
		if !f.is(data) {
			continue
		}
		if len(data) > mostMedia {
			return errorBundle(fmt.Errorf("show %s of %s: over the %s that a notebook bears; write it to a file", f.name, sizeText(float64(len(data))), sizeText(mostMedia))), true
		}
		said := fmt.Sprintf("%s, %s", f.name, sizeText(float64(len(data))))
		kind, _, _ := strings.Cut(f.typ, "/")
		if kind == "image" {
			if c, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil {
				said = fmt.Sprintf("%s image, %d×%d pixels", f.name, c.Width, c.Height)
			} else if f.typ != mime.WebP {
				return mime.Bundle{}, false // begins like one and is none
			}
			return file(f.typ, data, said), true
		}
		return source(mime.HTML, player(kind, f.typ, data, said), said), true
	}
	return mime.Bundle{}, false
}

// player is a browser's own player over the bytes.
func player(kind, typ string, data []byte, said string) string {
	return fmt.Sprintf(`<%s controls preload="metadata" aria-label="%s" style="max-width:100%%" src="data:%s;base64,%s">%s</%s>`,
		kind, said, typ, base64.StdEncoding.EncodeToString(data), said, kind)
}

// Audio plays samples in [-1, 1] at rate samples a second, one slice for each channel
// (WAV, 16 bits a sample). Louder samples are cut off, and the text says how many.
func Audio(rate int, channels ...[]float64) mime.Bundle {
	if len(channels) == 0 || rate <= 0 || len(channels[0]) == 0 {
		return errorBundle(fmt.Errorf("play audio: no samples, or no rate"))
	}
	n, loud := len(channels[0]), 0
	var pcm bytes.Buffer
	pcm.Grow(2 * n * len(channels))
	for i := range n {
		for c, samples := range channels {
			if len(samples) != n {
				return errorBundle(fmt.Errorf("play audio: channel %d has %d samples, channel 0 has %d", c, len(samples), n))
			}
			x := samples[i]
			if !(x >= -1 && x <= 1) {
				loud++
			}
			if x != x {
				x = 0
			}
			v := uint16(int16(math.Round(min(max(x, -1), 1) * 32767)))
			pcm.Write([]byte{byte(v), byte(v >> 8)})
		}
	}
	data := wav(rate, len(channels), pcm.Bytes())
	if len(data) > mostMedia {
		return errorBundle(fmt.Errorf("play audio: %s are over the %s that a notebook bears", sizeText(float64(len(data))), sizeText(mostMedia)))
	}
	said := fmt.Sprintf("audio, %.2f s at %d Hz", float64(n)/float64(rate), rate)
	if loud > 0 {
		said += fmt.Sprintf("; %s beyond ±1 cut off", plural(loud, "sample"))
	}
	return source(mime.HTML, player("audio", "audio/wav", data, said), said)
}

// wav is a RIFF file of 16-bit samples (Multimedia Programming Interface and Data
// Specifications 1.0, IBM and Microsoft 1991).
func wav(rate, channels int, pcm []byte) []byte {
	var b bytes.Buffer
	le := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) } // a Buffer takes everything
	b.WriteString("RIFF")
	le(uint32(36 + len(pcm)))
	b.WriteString("WAVEfmt ")
	le([]uint32{16})
	le([]uint16{1, uint16(channels)})
	le([]uint32{uint32(rate), uint32(rate * channels * 2)})
	le([]uint16{uint16(channels * 2), 16})
	b.WriteString("data")
	le(uint32(len(pcm)))
	b.Write(pcm)
	return b.Bytes()
}
