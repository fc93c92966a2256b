// Gen writes the assembly of package kernel. Nothing flows in; .s files and their Go declarations flow out.
package main

func main() {}
