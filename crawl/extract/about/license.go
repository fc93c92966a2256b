package about

import "strings"

// license names a Creative Commons license by its address, as "CC BY-SA 4.0" or, of a country, "CC BY 3.0 DE"; anything
// else is given as it is.
func license(address string) string {
	_, path, ok := strings.Cut(strings.ToLower(address), "creativecommons.org/")
	if !ok {
		return address
	}
	parts := strings.Split(strings.Trim(path, "/ "), "/")
	if len(parts) < 2 {
		return address
	}
	name := ""
	switch parts[0] {
	case "licenses":
		name = "CC " + strings.ToUpper(parts[1])
	case "publicdomain":
		name = map[string]string{"zero": "CC0", "mark": "Public Domain Mark"}[parts[1]]
	}
	if name == "" || len(parts[1]) > 12 {
		return address
	}
	if len(parts) > 2 && parts[2] != "" && parts[2][0] >= '0' && parts[2][0] <= '9' {
		name += " " + parts[2]
		if len(parts) > 3 && (len(parts[3]) == 2 || parts[3] == "igo") {
			name += " " + strings.ToUpper(parts[3])
		}
	}
	return name
}
