package wire

import (
	"fmt"
	"net/netip"
	"strings"
)

// RefusedError says that an address is not one of the public network.
type RefusedError struct {
	Address string
	Why     string // private, loopback, link-local, reserved
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("address %s is %s: refused", e.Address, e.Why)
}

// block is a range of addresses that are not for the public, by IANA's special-purpose registries (RFC 6890 and its updates).
type block struct {
	prefix netip.Prefix
	why    string
}

var blocks = parseBlocks(`
0.0.0.0/8 reserved
10.0.0.0/8 private
100.64.0.0/10 private
127.0.0.0/8 loopback
169.254.0.0/16 link-local
172.16.0.0/12 private
192.0.0.0/24 reserved
192.0.2.0/24 reserved
192.88.99.0/24 reserved
192.168.0.0/16 private
198.18.0.0/15 reserved
198.51.100.0/24 reserved
203.0.113.0/24 reserved
224.0.0.0/4 multicast
240.0.0.0/4 reserved
::1/128 loopback
fc00::/7 private
fe80::/10 link-local
fec0::/10 private
ff00::/8 multicast
2001::/23 reserved
2001:db8::/32 reserved
2002::/16 reserved
3fff::/20 reserved`)

func parseBlocks(s string) (list []block) {
	for _, line := range strings.Split(strings.TrimSpace(s), "\n") {
		prefix, why, _ := strings.Cut(line, " ")
		list = append(list, block{netip.MustParsePrefix(prefix), why})
	}
	return list
}

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: an IPv4 address in the last four bytes
	global = netip.MustParsePrefix("2000::/3")     // all of IPv6 that is given out for unicast
)

// Public returns nil where a is an address of the public network, else a *RefusedError. IPv4 addresses inside IPv6 ones (mapped,
// NAT64) are judged as what they lead to; 6to4 and Teredo are refused, for what they lead to depends on a relay.
func Public(a netip.Addr) error {
	shown := a.String()
	a = a.WithZone("").Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	for _, b := range blocks {
		if b.prefix.Contains(a) {
			return &RefusedError{shown, b.why}
		}
	}
	if !a.Is4() && !global.Contains(a) {
		return &RefusedError{shown, "reserved"}
	}
	return nil
}
