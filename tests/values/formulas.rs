//! The formula that a reader sees is that of the numbers: evaluated from its text, it gives the mean, standard deviation and bounds
//! of what the scheme draws.

use std::collections::{BTreeMap, BTreeSet};

use fanin::generator::NATIVE;
use fanin::plan::{Common, DrawnTensor};
use fanin::scheme::{self, gain};
use fanin::tensor::{DType, Fans};

const SHAPE: &str = "48x30";
const INPUTS: f64 = 48.0;
const OUTPUTS: f64 = 30.0;

/// A scheme, the part of its formula that is meant (the word before its colon, `else`, or none), the symbol that is compared, and
/// the values of symbols that are neither parameters nor fans.
type Case = (&'static str, &'static str, &'static str, &'static [(&'static str, f64)]);

/// `w` is the value itself; `std`, `mean` and `variance` are figures of it.
const CASES: &[Case] = &[
    ("zeros", "", "w", &[]),
    ("ones", "", "w", &[]),
    ("constant:0.3", "", "w", &[]),
    ("prior-bias:0.2", "", "w", &[]),
    ("normal:std=0.3,mean=2", "", "w", &[]),
    ("uniform:low=-1,high=3", "", "w", &[]),
    ("uniform:range=0.3", "range", "w", &[]),
    ("uniform:std=0.3,mean=2", "std", "w", &[]),
    ("standard-normal", "", "w", &[]),
    ("standard-uniform", "", "w", &[]),
    ("lecun-normal", "", "w", &[]),
    ("lecun-uniform", "", "w", &[]),
    ("lecun", "", "variance", &[]),
    ("glorot-normal:gain=3", "", "w", &[]),
    ("glorot-uniform:gain=3", "", "w", &[]),
    ("glorot:gain=3", "", "variance", &[]),
    ("sigmoid-uniform", "", "w", &[]),
    ("he-normal", "", "w", &[("fan", INPUTS)]),
    ("he-uniform:gain=tanh", "", "w", &[("fan", INPUTS)]),
    ("he-uniform:mode=fan-out", "", "w", &[("fan", OUTPUTS)]),
    ("he", "", "variance", &[("fan", INPUTS)]),
    ("variance-scaling:scale=3", "", "variance", &[("fan", INPUTS)]),
    ("variance-scaling:scale=3,distribution=normal", "normal", "std", &[("fan", INPUTS)]),
    ("variance-scaling:scale=3,distribution=uniform", "uniform", "bound", &[("fan", INPUTS)]),
    ("fan-in-uniform", "", "w", &[]),
    ("uniform-unit-scaling:factor=3", "", "w", &[]),
    ("scaled-uniform", "", "w", &[("n", INPUTS * OUTPUTS)]),
    ("rnn-uniform:gates=3", "", "w", &[("outputs", OUTPUTS)]),
    ("magnitude-scaling:magnitude=2,mode=fan-in", "uniform", "bound", &[("fan", INPUTS)]),
    ("magnitude-scaling:magnitude=2,mode=fan-in,distribution=normal", "normal", "std", &[("fan", INPUTS)]),
    ("xavier-legacy", "", "w", &[("inputs", INPUTS), ("outputs", OUTPUTS)]),
    ("fixup:layers=16,branch=3", "", "w", &[("fan", OUTPUTS)]),
    ("t-fixup:layers=6,part=embedding", "embedding", "w", &[("features", OUTPUTS)]),
    ("small-init:dim=20", "", "w", &[]),
    ("wang-init:layers=12,dim=20", "", "w", &[]),
    ("depth-scaled:layers=12,std=0.3", "", "w", &[]),
    ("siren:first=true", "", "w", &[]),
    ("siren:omega=20", "else", "w", &[]),
    ("fourier-features:sigma=3", "", "b", &[]),
    ("embedding:std=0.3", "", "w[row, ..]", &[]),
    ("truncated-normal:std=0.3,mean=0.1,low=-0.5,high=0.4", "", "w", &[]),
    ("laplace:scale=0.3", "", "std", &[]),
    ("student-t:dof=5,scale=0.3", "", "std", &[]),
    ("exponential:rate=4", "", "std", &[]),
    ("exponential:rate=4", "", "mean", &[]),
    ("gamma:shape=2.5,scale=0.1", "", "std", &[]),
    ("gamma:shape=2.5,scale=0.1", "", "mean", &[]),
    ("log-normal:sigma=0.5,mu=-3", "", "w", &[]),
    ("log-normal:sigma=0.5,mu=-3", "", "mean", &[]),
    ("log-uniform", "", "w", &[]),
    ("bernoulli:p=0.3,value=2,other=-1", "", "w", &[]),
    ("unit-ball:radius=3", "", "std", &[("n", INPUTS)]),
    ("unit-sphere:radius=3", "", "std", &[("n", INPUTS)]),
    ("sparse-bernoulli:density=0.2,mean=1,std=0.3", "", "w", &[]),
    ("mamba2-a", "", "A_log", &[]),
    ("mamba-dt", "", "b", &[]),
    ("mamba-dt-proj:scale=2", "", "w", &[]),
    ("mamba-dt-proj:scale=2,distribution=constant", "constant", "w", &[]),
    ("s4-dt", "", "log_dt", &[]),
    ("lru-theta", "", "theta_log", &[]),
    ("lora-a", "", "w", &[]),
    ("lora-b", "", "w", &[]),
];

/// Schemes with a formula that is no expression in the symbols above: joint draws, patterns and words.
const WORDS: &str = "
    nan constant-list arange linspace geometric-sequence causal-mask relative-position-index deformable-offsets deepnorm
    cauchy rademacher integer-uniform positive-unit-ball orthogonal scaled-orthogonal
    delta-orthogonal conv-orthogonal convolution-aware orthogonal-random-features skew-symmetric glorot-orthogonal
    nguyen-widrow sparse lstm-bias chrono chrono-gru hippo-legs hippo-legsd hippo-legt hippo-lmu hippo-lagt
    hippo-tlagt hippo-glagt hippo-fourier hippo-fourier-diag hippo-fourier-decay hippo-random hippo-diagonal s4d-real
    s4d-lin s4d-inv s4d-inv2 s4d-quad s4d-legs s4d-rand mamba-a lru-nu rg-lru rwkv-decay rwkv-first rwkv-mix identity dirac
    zero-init bilinear linear-upsampling linear-downsampling icnr sinusoidal-positions stft mimetic lora-orthogonal-a
    lora-orthogonal-b pissa-a pissa-b pissa-base olora-a olora-b olora-base spectral random-sparse fast-spectral
    small-world cluster chaotic dale permutation wigner band lower-triangular toeplitz pseudo-svd ring line
    block-diagonal cycle-with-jumps double-cycle self-loop-feedback-cycle reservoir-input weighted-input minimal-input
    chebyshev logistic logistic-chain
";

/// What a scheme draws on a shape that it takes.
fn tensor(expression: &str, shape: &str) -> DrawnTensor {
    let common =
        Common { dtype: DType::F64.into(), layout: "io".parse().unwrap(), fans: Fans::default(), generator: NATIVE };
    DrawnTensor::new("weight".parse().unwrap(), shape.parse().unwrap(), expression, &common)
        .unwrap_or_else(|error| panic!("{expression}: {error:#}"))
}

/// The formula of a scheme.
fn formula(expression: &str) -> &'static str {
    scheme::find(expression.split(':').next().unwrap()).unwrap().formula
}

/// Definitions of symbols, as text: those of the part that is meant, and those of parts that belong to none.
fn definitions(formula: &str, part: &str) -> BTreeMap<String, String> {
    let mut known = BTreeMap::new();
    for clause in formula.split(';').map(str::trim) {
        let (word, text) = match clause.split_once(": ") {
            Some((word, text)) if word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') => (word, text),
            _ => ("", clause),
        };
        if !word.is_empty() && word != part {
            continue;
        }
        // A part that is meant comes before what the formula begins with.
        let mut last = String::new();
        for piece in pieces(text) {
            // Such words follow an expression and are no part of it.
            let words = [" which ", " for ", " where ", " in ", " along ", " if ", " by default"];
            let piece = words.iter().fold(piece, |text, word| text.split(word).next().unwrap_or(text));
            let (names, value) = if let Some(value) = piece.strip_prefix("else ").filter(|_| part == "else") {
                (vec![last.clone()], value)
            } else if let Some(value) = piece.strip_prefix("variance ") {
                (vec!["variance".into()], value)
            } else if let Some((name, value)) = piece.split_once(" ~ ") {
                (vec![name.into()], value)
            } else if let Some((names, value)) = piece.rsplit_once(" = ") {
                (names.split(" = ").map(String::from).collect(), value)
            } else if !word.is_empty() {
                (vec!["w".into()], piece)
            } else {
                continue;
            };
            for name in names {
                last.clone_from(&name);
                if !word.is_empty() || part == "else" {
                    known.insert(name, value.into());
                } else {
                    known.entry(name).or_insert_with(|| value.into());
                }
            }
        }
    }
    known
}

/// A clause at its commas, except for those within brackets.
fn pieces(clause: &str) -> Vec<&str> {
    let (mut depth, mut from, mut found) = (0, 0, Vec::new());
    for (place, c) in clause.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(clause[from..place].trim());
                from = place + 1;
            }
            _ => {}
        }
    }
    found.push(clause[from..].trim());
    found
}

/// Evaluates the text of an expression. Everything random in it is a function of one standard normal value.
struct Evaluator<'a> {
    definitions: &'a BTreeMap<String, String>,
    symbols: &'a BTreeMap<String, f64>,
    normal: f64,
}

impl Evaluator<'_> {
    fn text(&self, text: &str) -> f64 {
        let mut parser = Parser { evaluator: self, tokens: tokens(text), place: 0 };
        let value = parser.sum();
        assert_eq!(parser.place, parser.tokens.len(), "`{text}` goes on: {:?}", &parser.tokens[parser.place..]);
        value
    }

    fn symbol(&self, name: &str) -> f64 {
        // A parameter may be defined by itself, as in `std / sqrt(features)`; its value is that which is given.
        match (self.symbols.get(name), self.definitions.get(name)) {
            (Some(value), _) => *value,
            (None, Some(text)) => self.text(text),
            (None, None) => panic!("`{name}` is neither a parameter nor defined"),
        }
    }
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            continue;
        }
        let mut token = c.to_string();
        let number = c.is_ascii_digit();
        if number || c.is_alphabetic() {
            let goes_on =
                |c: char| if number { c.is_ascii_digit() || c == '.' } else { c.is_alphanumeric() || c == '_' };
            while let Some(next) = chars.next_if(|&c| goes_on(c)) {
                token.push(next);
            }
        }
        tokens.push(token);
    }
    tokens
}

struct Parser<'a, 'b> {
    evaluator: &'a Evaluator<'b>,
    tokens: Vec<String>,
    place: usize,
}

impl Parser<'_, '_> {
    fn next_is(&self, token: &str) -> bool {
        self.tokens.get(self.place).is_some_and(|next| next == token)
    }

    fn took(&mut self, token: &str) -> bool {
        let took = self.next_is(token);
        self.place += usize::from(took);
        took
    }

    fn sum(&mut self) -> f64 {
        let mut value = self.product();
        loop {
            if self.took("+") {
                value += self.product();
            } else if self.took("-") {
                value -= self.product();
            } else {
                return value;
            }
        }
    }

    /// Products need no sign: `gain sqrt(2 / fan)`.
    fn product(&mut self) -> f64 {
        let mut value = self.power();
        loop {
            let starts = |token: &String| token == "(" || token.starts_with(|c: char| c.is_alphanumeric());
            if self.took("/") {
                value /= self.power();
            } else if self.tokens.get(self.place).is_some_and(starts) {
                value *= self.power();
            } else {
                return value;
            }
        }
    }

    fn power(&mut self) -> f64 {
        if self.took("-") {
            return -self.power();
        }
        let base = self.factor();
        if self.took("^") { base.powf(self.power()) } else { base }
    }

    fn factor(&mut self) -> f64 {
        let token = self.tokens.get(self.place).cloned().expect("an expression ends too early");
        self.place += 1;
        if token == "(" {
            let value = self.sum();
            assert!(self.took(")"), "a bracket stays open");
            return value;
        }
        if let Ok(number) = token.parse() {
            return number;
        }
        if token == "pi" {
            return std::f64::consts::PI;
        }
        if !["sqrt", "exp", "ln", "max", "U", "N"].contains(&token.as_str()) || (token == "N" && !self.next_is("(")) {
            return self.evaluator.symbol(&token);
        }
        let mut values = Vec::new();
        if self.took("(") {
            values.push(self.sum());
            while self.took(",") {
                values.push(self.sum());
            }
            assert!(self.took(")"), "a bracket stays open");
        } else {
            // `ln low`
            values.push(self.power());
        }
        let normal = self.evaluator.normal;
        match (token.as_str(), values.as_slice()) {
            ("sqrt", [x]) => x.sqrt(),
            ("exp", [x]) => x.exp(),
            ("ln", [x]) => x.ln(),
            ("max", [x, y]) => x.max(*y),
            ("U", [low, high]) => low + (high - low) * 0.5 * libm::erfc(-normal / 2f64.sqrt()),
            ("N", [mean, variance]) => mean + variance.sqrt() * normal,
            _ => panic!("`{token}` of {values:?}"),
        }
    }
}

/// Mean, standard deviation, and range.
#[derive(Debug)]
struct Figures {
    mean: f64,
    std: f64,
    low: f64,
    high: f64,
}

/// Figures of a function of a standard normal value, given that it lies in an interval.
fn figures(value: impl Fn(f64) -> f64, given: (f64, f64)) -> Figures {
    const STEP: f64 = 2e-3;
    let (mut weight, mut first, mut second) = (0.0, 0.0, 0.0);
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    let centre = value(0.0);
    for step in -4500..=4500 {
        let normal = f64::from(step) * STEP;
        let value = value(normal);
        if value < given.0 || value > given.1 {
            continue;
        }
        let part = (-normal * normal / 2.0).exp();
        (low, high) = (low.min(value), high.max(value));
        weight += part;
        first += part * (value - centre);
        second += part * (value - centre).powi(2);
    }
    let mean = first / weight;
    Figures { mean: centre + mean, std: (second / weight - mean * mean).max(0.0).sqrt(), low, high }
}

/// The numbers among the arguments of an expression in full, hyphens of names as `_`.
fn symbols(expression: &str) -> BTreeMap<String, f64> {
    let pairs: BTreeMap<&str, &str> = expression
        .split_once(':')
        .map_or("", |(_, arguments)| arguments)
        .split(',')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    let slope = pairs.get("slope").and_then(|slope| slope.parse().ok());
    let number = |key: &str, value: &str| match key {
        "gain" => {
            value.parse().ok().or_else(|| Some(gain::find(value).ok()?.number(slope.unwrap_or(gain::DEFAULT_SLOPE))))
        }
        _ => value.parse().ok(),
    };
    let known = pairs.iter().filter_map(|(key, value)| Some((key.replace('-', "_"), number(key, value)?)));
    known.collect()
}

/// What differs between the formula of a case, given as text, and what its scheme draws.
fn difference(&(expression, part, symbol, given): &Case, formula: &str) -> Option<String> {
    let tensor = tensor(expression, SHAPE);
    let distribution = tensor.distribution();
    let mut symbols = symbols(tensor.expression());
    let mut text = formula.to_owned();
    // A hyphen within the name of a parameter is no minus.
    for parameter in scheme::find(expression.split(':').next().unwrap()).unwrap().parameters() {
        text = text.replace(parameter.name(), &parameter.name().replace('-', "_"));
    }
    symbols.insert("fan_in".into(), INPUTS);
    symbols.insert("fan_out".into(), OUTPUTS);
    symbols.extend(given.iter().map(|&(name, value)| (name.into(), value)));
    let definitions = definitions(&text, part);
    let Some(meaning) = definitions.get(symbol) else {
        return Some(format!("`{symbol}` is not defined in `{formula}`"));
    };
    let at = |normal| Evaluator { definitions: &definitions, symbols: &symbols, normal };
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * (1e-3 + a.abs().max(b.abs()));
    let std = distribution.std()?;
    let stated = |theirs: f64, ours: f64| {
        (!near(theirs, ours)).then(|| format!("{symbol} of `{formula}` is {theirs}, and that of the values is {ours}"))
    };
    match symbol {
        "std" => return stated(at(0.0).text(meaning), std),
        "mean" => return stated(at(0.0).text(meaning), distribution.mean()?),
        "variance" => return stated(at(0.0).text(meaning), std * std),
        "bound" => return stated(at(0.0).text(meaning), distribution.bounds()?.1),
        _ => {}
    }
    let theirs = if let Some((value, rest)) = meaning.split_once(" with probability ") {
        let share = at(0.0).text(rest);
        let other = text.split("else ").nth(1).map_or("0", |text| text.split(';').next().unwrap());
        let within = figures(|normal| at(normal).text(value), (f64::NEG_INFINITY, f64::INFINITY));
        let other = at(0.0).text(other);
        let mean = share * within.mean + (1.0 - share) * other;
        let second = share * (within.mean.powi(2) + within.std.powi(2)) + (1.0 - share) * other * other;
        Figures { mean, std: (second - mean * mean).sqrt(), low: within.low.min(other), high: within.high.max(other) }
    } else if let Some((value, interval)) = meaning.split_once(" given ") {
        let ends: Vec<f64> =
            interval.split("<=").filter(|end| end.trim() != "w").map(|end| at(0.0).text(end)).collect();
        figures(|normal| at(normal).text(value), (ends[0], ends[1]))
    } else {
        figures(|normal| at(normal).text(meaning), (f64::NEG_INFINITY, f64::INFINITY))
    };
    // The ends of an interval fall between two steps of the integral.
    let slack = if meaning.contains(" given ") { 1e-3 } else { 1e-6 };
    let near = |a: f64, b: f64| (a - b).abs() <= slack * (1e-3 + a.abs().max(b.abs()) + theirs.std);
    let mut same = near(theirs.std, std) && distribution.mean().is_none_or(|mean| near(theirs.mean, mean));
    // Those of a function of a uniform value are where its smallest word leads.
    if let Some((low, high)) =
        distribution.bounds().filter(|_| !["exp", "ln "].iter().any(|word| meaning.contains(word)))
    {
        same &= (!low.is_finite() || near(theirs.low, low)) && (!high.is_finite() || near(theirs.high, high));
    }
    (!same).then(|| {
        format!(
            "`{formula}` gives {theirs:?}; the values have mean {:?}, std {std}, bounds {:?}",
            distribution.mean(),
            distribution.bounds()
        )
    })
}

#[test]
fn every_formula_is_that_of_the_values() {
    let wrong: Vec<String> =
        CASES.iter().filter_map(|case| Some(format!("{}: {}", case.0, difference(case, formula(case.0))?))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_formula_is_evaluated_or_listed_as_words() {
    let evaluated: BTreeSet<&str> = CASES.iter().map(|case| case.0.split(':').next().unwrap()).collect();
    let listed: BTreeSet<&str> = WORDS.split_whitespace().collect();
    let all: BTreeSet<&str> = scheme::all().map(|scheme| scheme.name).collect();
    let either: BTreeSet<&str> = evaluated.union(&listed).copied().collect();
    assert_eq!(all, either, "each scheme is evaluated, or is in the list of those that cannot be");
    assert_eq!(evaluated.intersection(&listed).count(), 0, "a formula that is evaluated is not in the other list");
}

#[test]
fn a_wrong_constant_in_a_formula_is_seen() {
    for (scheme, right, wrong) in [
        ("glorot-uniform", "sqrt(6", "sqrt(3"),
        ("he-normal", "gain / ", "2 gain / "),
        ("fan-in-uniform", "bound = 1", "bound = 3"),
        ("fixup", "2m - 2", "2m - 1"),
        ("truncated-normal", "std^2", "std"),
        ("log-uniform", "ln low", "low"),
        ("mamba-dt", "1 - exp", "1 + exp"),
        ("bernoulli", "probability p", "probability p^2"),
        ("lecun", "1 / fan_in", "1 / fan_out"),
        ("siren", "/ omega", "omega"),
    ] {
        let cases = CASES.iter().filter(|case| case.0.split(':').next() == Some(scheme));
        let planted = formula(scheme).replace(right, wrong);
        assert_ne!(planted, formula(scheme), "{scheme} has no `{right}`");
        assert!(cases.filter_map(|case| difference(case, &planted)).count() > 0, "{scheme}: `{wrong}` for `{right}`");
    }
}
