package socket

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
)

const maxTopics = 1024 // subscriptions of one peer

// subscription is what a subscriber asks for or takes back.
type subscription struct {
	on    bool
	topic string
}

// XPub is an XPUB socket: Send goes to every peer with a subscription that
// frames[0] begins with. Nothing is lost for a peer that reads: a full queue
// holds Send up until there is room, and a peer that reads next to nothing
// meanwhile is disconnected (Options.Stall).
type XPub struct {
	*core
	welcome func(topic string) [][]byte
	first   chan struct{}
	once    sync.Once

	soonMu sync.Mutex
	timer  *time.Timer // wakes the writers for what Soon queued
	armed  bool        // timer runs
}

// ListenXPub opens an XPUB on an endpoint, "tcp://host:port" or "ipc://path".
// welcome, where it is not nil, is asked at each new subscription for a message
// that goes to that subscriber alone and before anything else under it; a nil
// message is none.
func ListenXPub(endpoint string, opt Options, welcome func(topic string) [][]byte) (*XPub, error) {
	c, err := newCore(zmq4.XPub, endpoint, opt)
	if err != nil {
		return nil, err
	}
	c.limit.parts, c.limit.message = 1, maxCommand
	x := &XPub{core: c, welcome: welcome, first: make(chan struct{})}
	x.timer = time.AfterFunc(time.Hour, x.wakeAll)
	x.timer.Stop()
	c.message = x.request
	c.command = x.subscribe
	c.start()
	return x, nil
}

// Subscribed is closed once the first subscription has come.
func (x *XPub) Subscribed() <-chan struct{} { return x.first }

// request reads a subscription in the form of ZMTP 3.0: a message whose first
// byte is 1 or 0. Other messages of a subscriber have no meaning here.
func (x *XPub) request(p *peer, frames [][]byte) error {
	if len(frames) != 1 || len(frames[0]) == 0 || frames[0][0] > 1 {
		return nil
	}
	return x.subscribe(p, subscription{on: frames[0][0] == 1, topic: string(frames[0][1:])})
}

// subscribe runs on the peer's reader, the only one that changes its topics.
func (x *XPub) subscribe(p *peer, s subscription) error {
	topics := slices.Clone(*p.topics.Load())
	if !s.on {
		if i := slices.Index(topics, s.topic); i >= 0 {
			topics = slices.Delete(topics, i, i+1)
			p.topics.Store(&topics)
		}
		return nil
	}
	if len(topics) >= maxTopics {
		return violated("more than %d subscriptions", maxTopics)
	}
	var first [][]byte
	if x.welcome != nil {
		first = x.welcome(s.topic)
	}
	topics = append(topics, s.topic)
	p.subscribe(topics, first)
	x.once.Do(func() { close(x.first) })
	return nil
}

// subscribe changes what the peer hears and queues first in one step: whoever has
// seen first misses nothing, and nothing under the new topic comes before it.
func (p *peer) subscribe(topics []string, first [][]byte) {
	p.mu.Lock()
	if first != nil && !p.closing {
		p.items = append(p.items, first)
		p.queued.Add(cost(first))
	}
	p.topics.Store(&topics)
	p.mu.Unlock()
	signal(p.wake)
}

func (p *peer) wants(topic string) bool {
	for _, t := range *p.topics.Load() {
		if strings.HasPrefix(topic, t) {
			return true
		}
	}
	return false
}

// Send queues a message for its subscribers; frames[0] is the topic.
func (x *XPub) Send(frames [][]byte) error { return x.send(frames, x.opt.Queue, true) }

// together is how long a message of Soon waits for company.
const together = time.Millisecond

// Soon is the same socket for messages that others are likely to follow at once: they
// leave with the next one of Send, or after a millisecond. A peer is then woken once
// for all that a short cell has to say, and not while the cell runs.
func (x *XPub) Soon() Sender { return soon{x} }

type soon struct{ x *XPub }

func (s soon) Send(frames [][]byte) error {
	err := s.x.send(frames, s.x.opt.Queue, false)
	s.x.soonMu.Lock()
	defer s.x.soonMu.Unlock()
	if !s.x.armed {
		s.x.armed = true
		s.x.timer.Reset(together)
	}
	return err
}

// disarm stops the timer, and tells whether there is something to wake the writers for.
func (x *XPub) disarm() bool {
	x.soonMu.Lock()
	defer x.soonMu.Unlock()
	was := x.armed
	if was {
		x.armed = false
		x.timer.Stop()
	}
	return was
}

func (x *XPub) wakeAll() {
	x.disarm()
	for _, p := range *x.peers.Load() {
		signal(p.wake)
	}
}

// Urgent is the same socket for messages that shall not wait behind those that
// hold Send up: it fills queues to twice their limit. They keep their order among
// themselves, not with Send's.
func (x *XPub) Urgent() Sender { return urgent{x} }

type urgent struct{ x *XPub }

func (u urgent) Send(frames [][]byte) error { return u.x.send(frames, 2*u.x.opt.Queue, true) }

// send serves all peers that have room before it waits for those that have none.
// A peer's end is its own: the others still get the message.
func (x *XPub) send(frames [][]byte, limit int64, now bool) error {
	if len(frames) == 0 {
		return nil
	}
	if x.isDone() {
		return ErrClosed
	}
	topic := string(frames[0])
	var full []*peer
	wakeAll := now && x.disarm() // before anything is queued, or what Soon queues now could wait for ever
	for _, p := range *x.peers.Load() {
		wake := wakeAll
		if p.wants(topic) {
			err := p.push(frames, limit)
			if err == errFull {
				full = append(full, p)
			}
			wake = wake || now && err == nil
		}
		if wake {
			signal(p.wake)
		}
	}
	for _, p := range full {
		_ = p.pushPatiently(frames, limit)
	}
	return nil
}
