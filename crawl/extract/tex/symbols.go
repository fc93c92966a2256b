package tex

import "strings"

// functions have commands of their own. The tables of this file are read only.
var functions = set(`sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan log ln lg exp lim max min sup inf det dim ker
	gcd deg arg hom Pr limsup liminf`)

// large are bases whose limits are indices.
var large = set("∑ ∏ ∐ ∫ ∬ ∭ ∮ ⋃ ⋂ ⋁ ⋀ ⨁ ⨂ lim max min sup inf det gcd Pr limsup liminf argmax argmin")

var variants = map[string]string{
	"bold": `\mathbf`, "bold-italic": `\boldsymbol`, "double-struck": `\mathbb`, "script": `\mathcal`, "fraktur": `\mathfrak`,
	"sans-serif": `\mathsf`, "monospace": `\mathtt`, "normal": `\mathrm`,
}

var overAccents = map[string]string{
	"¯": `\overline`, "‾": `\overline`, "―": `\overline`, "_": `\overline`, "^": `\hat`, "ˆ": `\hat`, "~": `\tilde`, "˜": `\tilde`, "→": `\vec`, "⃗": `\vec`,
	"˙": `\dot`, "¨": `\ddot`, "ˇ": `\check`, "˘": `\breve`, "⏞": `\overbrace`, "´": `\acute`, "`": `\grave`,
}

var underAccents = map[string]string{"_": `\underline`, "¯": `\underline`, "̲": `\underline`, "⏟": `\underbrace`}

// commands are the characters that LaTeX has commands for.
var commands = pairs(`
	α alpha β beta γ gamma δ delta ε varepsilon ϵ epsilon ζ zeta η eta θ theta ϑ vartheta ι iota κ kappa λ lambda μ mu µ mu ν nu ξ xi π pi
	ρ rho σ sigma ς varsigma τ tau υ upsilon φ varphi ϕ phi χ chi ψ psi ω omega Γ Gamma Δ Delta Θ Theta Λ Lambda Ξ Xi Π Pi Σ Sigma
	Υ Upsilon Φ Phi Ψ Psi Ω Omega ∑ sum ∏ prod ∐ coprod ∫ int ∬ iint ∭ iiint ∮ oint ∂ partial ∇ nabla ∞ infty ∈ in ∉ notin ∋ ni
	⊂ subset ⊃ supset ⊆ subseteq ⊇ supseteq ∪ cup ∩ cap ⋃ bigcup ⋂ bigcap ∅ emptyset ∀ forall ∃ exists ¬ neg ∧ wedge ∨ vee
	⋀ bigwedge ⋁ bigvee ⊕ oplus ⊗ otimes ⨁ bigoplus ⨂ bigotimes ± pm ∓ mp × times ÷ div ⋅ cdot · cdot ∗ ast ∘ circ • bullet ≤ leq ≥ geq
	≪ ll ≫ gg ≠ neq ≈ approx ≡ equiv ≅ cong ∼ sim ≃ simeq ∝ propto ⊥ perp ∥ parallel ∣ mid → to ← leftarrow ↔ leftrightarrow ⇒ Rightarrow
	⇐ Leftarrow ⇔ Leftrightarrow ↦ mapsto ⟶ longrightarrow ↑ uparrow ↓ downarrow … ldots ⋯ cdots ⋮ vdots ⋱ ddots ′ prime ⟨ langle ⟩ rangle
	⌊ lfloor ⌋ rfloor ⌈ lceil ⌉ rceil ‖ Vert ℓ ell ℏ hbar ℜ Re ℑ Im ℵ aleph ∠ angle △ triangle √ surd ⊢ vdash ⊨ models ∖ setminus † dagger`,
	map[rune]string{
		'ℝ': `\mathbb{R}`, 'ℕ': `\mathbb{N}`, 'ℤ': `\mathbb{Z}`, 'ℚ': `\mathbb{Q}`, 'ℂ': `\mathbb{C}`, '−': "-", '\u2061': "", '\u2062': "", '\u2063': "",
		'\u2064': "", '\u00a0': `\ `, '\u2009': `\,`, '\u200b': "", '°': `^{\circ}`, '≔': ":=",
	})

func set(words string) map[string]bool {
	m := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		m[word] = true
	}
	return m
}

func pairs(words string, m map[rune]string) map[rune]string {
	fields := strings.Fields(words)
	for i := 0; i+1 < len(fields); i += 2 {
		m[[]rune(fields[i])[0]] = `\` + fields[i+1]
	}
	return m
}
