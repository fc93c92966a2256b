package models

import (
	"errors"
	"fmt"
)

// Ready tells what is missing for step i, or wrong by what the trainer knows. It returns a *Mistake.
func Ready(list []Spec, i int, t Trainer) error {
	s := &list[i]
	path := fmt.Sprintf("[%d].%s", i, s.Kind())
	if u := s.tuning(); u != nil {
		if _, err := Files(u.Data); err != nil {
			return &Mistake{Path: path + ".data", Err: err}
		}
		if err := there(list[:i], path+".parent", u.Parent); err != nil {
			return err
		}
	}
	if s.Policy != nil {
		if err := there(list[:i], path+".reward", s.Policy.Reward); err != nil {
			return err
		}
	}
	err := t.Check(s)
	var m *Mistake
	if errors.As(err, &m) {
		return &Mistake{path + m.Path, m.Hint, m.Err}
	}
	return err
}

// there finds a name that is neither of an earlier step nor a model's folder.
func there(before []Spec, path, name string) error {
	for i := range before {
		if before[i].Name() == name {
			return nil
		}
	}
	if name == "" {
		return nil
	}
	if _, err := record(name); err != nil {
		return &Mistake{Path: path, Err: err}
	}
	return nil
}
