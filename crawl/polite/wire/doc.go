// Package wire is the crawler's connections: which addresses may be met, what goes over the line byte by byte, and how much of
// it is taken.
//
//	request -> resolved and checked address -> raw request, raw response, decoded body, why it was cut
//
// Addresses are checked where a connection is made, on what the resolver just gave, so that neither a redirect nor a second
// answer of a name server leads into a private network.
package wire
