package reward

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

// Expression scores by a rule over the answer: a number, or a condition, which is 1 where it holds and else 0. It has no clock, no
// chance and no network.
type Expression struct {
	text    string
	program *vm.Program
	columns []string
}

// ExpressionError is what is wrong with an expression.
type ExpressionError struct {
	Text   string
	Column int // from 1
	Msg    string
	Names  []string // what an expression may name
}

// Error has the names too.
func (e *ExpressionError) Error() string {
	return fmt.Sprintf("expression %q, column %d: %s (it may name %s)", e.Text, e.Column, e.Msg, strings.Join(e.Names, ", "))
}

// variables are what an expression sees of every answer.
func variables(a *Answer) map[string]any {
	return map[string]any{
		"prompt": a.Prompt,                       // the prompt's last message
		"answer": a.Text,                         // without its end of turn
		"tokens": a.Tokens(),                     // with its end of turn
		"length": utf8.RuneCountInString(a.Text), // characters
		"ended":  a.Ended,                        // by its end of turn
		"row":    a.Columns,                      // row.name: a field of the prompt's row
	}
}

// NewExpression compiles text. Columns are fields of the prompts' rows, which it may name as they are, or as row.name where one of
// prompt, answer, tokens, length, ended has the name. Errors: *ExpressionError.
func NewExpression(text string, columns []string) (*Expression, error) {
	env := variables(&Answer{Columns: map[string]any{}})
	x := &Expression{text: text}
	for _, name := range columns {
		if _, taken := env[name]; !taken {
			env[name] = nil
			x.columns = append(x.columns, name)
		}
	}
	names := make([]string, 0, len(env))
	for name := range env {
		names = append(names, name)
	}
	slices.Sort(names)
	wrong := func(column int, msg string) error {
		return &ExpressionError{Text: text, Column: column, Msg: msg, Names: names}
	}
	known := types.Map{}
	for name, v := range env {
		if known[name] = types.Any; v != nil {
			known[name] = types.TypeOf(v)
		}
	}
	program, err := expr.Compile(text, expr.Env(known), expr.DisableBuiltin("now"), expr.DisableBuiltin("date"))
	if err != nil {
		var at *file.Error
		if errors.As(err, &at) {
			return nil, wrong(at.Column+1, at.Message)
		}
		return nil, wrong(1, err.Error())
	}
	if kind := program.Node().Type(); kind != nil {
		switch kind.Kind() {
		case reflect.Bool, reflect.Int, reflect.Float64, reflect.Interface:
		default:
			return nil, wrong(1, "it gives "+kind.String()+", neither a number nor a condition")
		}
	}
	x.program = program
	return x, nil
}

// String is the expression's text.
func (x *Expression) String() string { return x.text }

// Score evaluates the expression for each answer. A value that is no number names the answer.
func (x *Expression) Score(_ context.Context, answers []Answer) ([]float64, error) {
	scores := make([]float64, len(answers))
	for i := range answers {
		a := &answers[i]
		env := variables(a)
		for _, name := range x.columns {
			env[name] = a.Columns[name]
		}
		v, err := expr.Run(x.program, env)
		if err == nil {
			scores[i], err = number(v)
		}
		if err != nil {
			return nil, fmt.Errorf("expression %q on answer %q: %w", x.text, short(a.Text), err)
		}
	}
	return scores, Check(scores, answers)
}

func number(v any) (float64, error) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case int:
		return float64(v), nil
	case float64:
		return v, nil
	}
	return 0, fmt.Errorf("it gives %T, neither a number nor a condition", v)
}
