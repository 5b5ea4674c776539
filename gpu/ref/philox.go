package ref

// Philox is the counter-based generator Philox4x32-10 (Salmon et al. 2011,
// "Parallel random numbers: as easy as 1, 2, 3"): four random words for a counter
// and a key. Nothing is kept between calls, so any element of a dropout mask can
// be made anew in the backward pass.
func Philox(counter [4]uint32, key [2]uint32) [4]uint32 {
	for range 10 {
		p0, p1 := uint64(counter[0])*0xD2511F53, uint64(counter[2])*0xCD9E8D57
		counter = [4]uint32{
			uint32(p1>>32) ^ counter[1] ^ key[0], uint32(p1),
			uint32(p0>>32) ^ counter[3] ^ key[1], uint32(p0),
		}
		key[0] += 0x9E3779B9
		key[1] += 0xBB67AE85
	}
	return counter
}

// Dropped says whether dropout of drop/65536 takes away the weight of key j for
// query i of head number head (batch * heads + head). The counter is (j/8, i, head,
// 0); its four words are eight numbers of 16 bits, the low half of a word first.
func Dropped(seed uint64, head, i, j, drop int) bool {
	w := Philox([4]uint32{uint32(j / 8), uint32(i), uint32(head), 0}, [2]uint32{uint32(seed), uint32(seed >> 32)})
	return int(w[j%8/2]>>(j%2*16)&0xffff) < drop
}
