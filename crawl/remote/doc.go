// Package remote reads inputs over HTTP and out of S3 as if they lay on the disk.
//
//	https://host/x.warc.gz, s3://bucket/prefix*.warc.gz -> names -> winnow.File
//
// A file is read in ranges that grow as long as reading is sequential. What breaks off is taken up again at the byte, with
// exponential backoff and jitter, as long as the server says that the content is still the same.
package remote
