//! Pairs of elements of a block that should have nothing in common: neighbours, mirrored ones, transposed ones.

use super::excerpt::Axis;

/// Pairs of elements. Along each axis the first element of a pair moves by a stride, and the second by a step.
pub(super) struct Pairing {
    kind: &'static str,
    along: String,
    /// A description, the subject of a sentence.
    pub(super) text: String,
    first: isize,
    second: isize,
    lengths: Vec<usize>,
    strides: Vec<isize>,
    steps: Vec<isize>,
    /// True if every pair is visited twice.
    twice: bool,
}

/// All pairings that are tested.
pub(super) fn pairings(axes: &[Axis]) -> Vec<Pairing> {
    let mut all: Vec<Pairing> = (0..axes.len()).flat_map(|axis| along(axes, axis)).collect();
    if axes.len() > 1 {
        all.push(reversed(axes));
        let mut pairs = vec![(0, 1), (axes.len() - 2, axes.len() - 1), (0, axes.len() - 1)];
        pairs.sort_unstable();
        pairs.dedup();
        all.extend(pairs.into_iter().flat_map(|(one, two)| across(axes, one, two)));
    }
    all
}

/// Pairs along one axis.
fn along(axes: &[Axis], axis: usize) -> Vec<Pairing> {
    let Axis { number, size, length, .. } = axes[axis];
    let plain = |kind, text: &str| Pairing::new(axes, kind, format!("axis {number}"), format!("{text} axis {number}"));
    let mut neighbours = plain("neighbours", "neighbours along");
    let stride = neighbours.strides[axis];
    neighbours.lengths[axis] = length.saturating_sub(1);
    neighbours.second = stride;
    let mut mirrored = plain("mirrored", "mirror-image values along");
    mirrored.lengths[axis] = length / 2;
    mirrored.second = stride * (signed(length) - 1);
    mirrored.steps[axis] = -stride;
    let mut all = vec![neighbours, mirrored];
    // The halves of an axis of 2 are neighbours.
    if size == length as u64 && length % 2 == 0 && length > 2 {
        let mut halves = plain("halves", "both halves of");
        halves.lengths[axis] = length / 2;
        halves.second = stride * signed(length / 2);
        all.push(halves);
    }
    all
}

/// All elements and those in reverse order.
fn reversed(axes: &[Axis]) -> Pairing {
    let mut reversed = Pairing::new(axes, "reversed", "all axes".into(), "values and those in reverse order".into());
    reversed.second = axes.iter().zip(&reversed.strides).map(|(axis, stride)| stride * (signed(axis.length) - 1)).sum();
    reversed.lengths[0] /= 2;
    reversed.steps.iter_mut().for_each(|step| *step = -*step);
    reversed
}

/// Pairs across two axes: along both diagonals, and mirrored at these if the axes have the same size.
fn across(axes: &[Axis], one: usize, two: usize) -> Vec<Pairing> {
    let both = format!("axes {} and {}", axes[one].number, axes[two].number);
    let plain = |kind, text: &str| Pairing::new(axes, kind, both.clone(), format!("{text} {both}"));
    let mut falling = plain("diagonals", "neighbours along the diagonals of");
    let (down, right) = (falling.strides[one], falling.strides[two]);
    for axis in [one, two] {
        falling.lengths[axis] = axes[axis].length.saturating_sub(1);
    }
    falling.second = down + right;
    let mut rising = plain("rising diagonals", "neighbours along the rising diagonals of");
    rising.lengths.clone_from(&falling.lengths);
    (rising.first, rising.second) = (right, down);
    let mut all = vec![falling, rising];
    if axes[one].size == axes[two].size {
        let mut transposed = plain("transposed", "values and their transposes in");
        transposed.steps.swap(one, two);
        transposed.twice = true;
        let mut other = plain("antitransposed", "values and those mirrored at the rising diagonal of");
        other.second = (down + right) * (signed(axes[one].length) - 1);
        (other.steps[one], other.steps[two]) = (-right, -down);
        other.twice = true;
        all.extend([transposed, other]);
    }
    all
}

impl Pairing {
    /// Every element with itself, to be changed by the caller.
    fn new(axes: &[Axis], kind: &'static str, along: String, text: String) -> Self {
        let inner = |axis: usize| axes[axis + 1..].iter().map(|axis| axis.length).product();
        let strides: Vec<isize> = (0..axes.len()).map(|axis| signed(inner(axis))).collect();
        let lengths = axes.iter().map(|axis| axis.length).collect();
        Self { kind, along, text, first: 0, second: 0, lengths, steps: strides.clone(), strides, twice: false }
    }

    /// The name of a test, with words before the kind of pairing and after it.
    pub(super) fn name(&self, before: &str, after: &str) -> String {
        format!("{before}{}{after}, {}", self.kind, self.along)
    }

    /// Visits all pairs of different elements.
    pub(super) fn for_each(&self, mut visit: impl FnMut(usize, usize)) {
        let Some((&length, outer)) = self.lengths.split_last().filter(|_| !self.lengths.contains(&0)) else { return };
        let ends = |steps: &[isize]| steps.last().copied().unwrap_or(0);
        let (stride, step) = (ends(&self.strides), ends(&self.steps));
        let mut index = vec![0; outer.len()];
        loop {
            let at =
                |steps: &[isize]| index.iter().zip(steps).map(|(&index, step)| signed(index) * step).sum::<isize>();
            let (mut first, mut second) = (self.first + at(&self.strides), self.second + at(&self.steps));
            for _ in 0..length {
                if first != second {
                    visit(first.cast_unsigned(), second.cast_unsigned());
                }
                (first, second) = (first + stride, second + step);
            }
            if !next(&mut index, outer) {
                break;
            }
        }
    }

    /// The factor that turns a sum over the visited pairs into one over distinct pairs.
    pub(super) fn once(&self) -> f64 {
        if self.twice { 0.5 } else { 1.0 }
    }
}

/// Moves to the next index, row-major; `false` after the last.
fn next(index: &mut [usize], lengths: &[usize]) -> bool {
    for (at, &length) in index.iter_mut().zip(lengths).rev() {
        *at += 1;
        if *at < length {
            return true;
        }
        *at = 0;
    }
    false
}

/// An index of the block, which is in memory and so fits.
fn signed(index: usize) -> isize {
    index.cast_signed()
}
