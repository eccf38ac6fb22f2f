//! Gathers strided elements into C order with few reads.

use std::io;

use super::Backing;

/// Largest number of bytes per read.
const BLOCK: u64 = 1 << 24;
/// Reads of at most this many bytes may be sparse. Longer reads need at least one wanted element per [`SPARSE`]
/// bytes.
const SMALL: u64 = 1 << 16;
const SPARSE: u64 = 4;

/// A range of each axis, whose elements are contiguous in C order.
pub(super) struct Box {
    start: Vec<u64>,
    sizes: Vec<u64>,
}

impl Box {
    pub(super) fn count(&self) -> u64 {
        self.sizes.iter().product()
    }

    /// Start offset in elements, and for each axis its strides in the file and in the box.
    pub(super) fn steps(&self, strides: &[u64]) -> (u64, Vec<Step>) {
        let first = self.start.iter().zip(strides).map(|(start, stride)| start * stride).sum();
        let mut steps = Vec::with_capacity(strides.len());
        let mut to = 1;
        for (&count, &from) in self.sizes.iter().zip(strides).rev() {
            if count > 1 {
                steps.push(Step { count, from, to });
            }
            to *= count;
        }
        (first, steps)
    }
}

/// One axis: its size, and its strides in the file and in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    count: u64,
    from: u64,
    to: u64,
}

/// Splits elements `first..end` in C order into consecutive boxes.
pub(super) struct Boxes<'a> {
    axes: &'a [u64],
    next: u64,
    end: u64,
}

impl<'a> Boxes<'a> {
    pub(super) fn new(axes: &'a [u64], first: u64, count: u64) -> Self {
        Self { axes, next: first, end: first + count }
    }
}

impl Iterator for Boxes<'_> {
    type Item = Box;

    /// The largest box at the current position: full axes at the end, a range of one axis before them, and single
    /// indices before that.
    fn next(&mut self) -> Option<Box> {
        let left = self.end.checked_sub(self.next).filter(|&left| left > 0)?;
        let mut axis = self.axes.len();
        let mut inner = 1;
        while axis > 0 && self.next.is_multiple_of(inner * self.axes[axis - 1]) && inner * self.axes[axis - 1] <= left {
            axis -= 1;
            inner *= self.axes[axis];
        }
        let (mut start, mut sizes) = (vec![0; self.axes.len()], self.axes.to_vec());
        let mut rest = self.next / inner;
        for before in (0..axis).rev() {
            start[before] = rest % self.axes[before];
            sizes[before] = 1;
            rest /= self.axes[before];
        }
        if axis > 0 {
            let size = self.axes[axis - 1];
            sizes[axis - 1] = (left / inner).min(size - start[axis - 1]);
        }
        let found = Box { start, sizes };
        self.next += found.count();
        Some(found)
    }
}

/// Copies the elements of `size` bytes at these steps to their places in `out`.
pub(super) fn gather(
    backing: &dyn Backing,
    offset: u64,
    size: u64,
    (first, steps): &(u64, Vec<Step>),
    out: &mut [u8],
) -> io::Result<()> {
    let mut steps = steps.clone();
    steps.sort_by_key(|step| step.from);
    let (inner, span, outer) = split(&steps, size);
    let mut read = vec![0; usize::try_from(span * size).map_err(io::Error::other)?];
    let mut at = vec![0; outer.len()];
    loop {
        let (mut from, mut to) = (*first, 0);
        let mut inner = inner.clone();
        for (&number, step) in at.iter().zip(&outer) {
            from += number * step.from;
            to += number * step.to;
            if let Some(cut) = step.cut {
                inner[cut.step].count = cut.count.min(cut.of - number * cut.count);
            }
        }
        let span: u64 = 1 + inner.iter().map(|step| (step.count - 1) * step.from).sum::<u64>();
        let read = &mut read[..usize::try_from(span * size).map_err(io::Error::other)?];
        backing.read(read, offset + from * size)?;
        match size {
            1 => scatter::<1>(read, &inner, 0, to, out),
            2 => scatter::<2>(read, &inner, 0, to, out),
            4 => scatter::<4>(read, &inner, 0, to, out),
            8 => scatter::<8>(read, &inner, 0, to, out),
            16 => scatter::<16>(read, &inner, 0, to, out),
            _ => return Err(io::Error::other(format!("strided elements of {size} bytes are not supported"))),
        }
        let Some(axis) = (0..outer.len()).find(|&axis| at[axis] + 1 < outer[axis].count) else { return Ok(()) };
        at[..axis].fill(0);
        at[axis] += 1;
    }
}

/// A step from one read to the next.
struct Outer {
    count: u64,
    from: u64,
    to: u64,
    /// Part of an inner step that one read covers, if not all of it.
    cut: Option<Cut>,
}

#[derive(Clone, Copy)]
struct Cut {
    step: usize,
    count: u64,
    of: u64,
}

/// The steps within one read, shortest first, the elements that a read spans, and the steps between reads.
fn split(steps: &[Step], size: u64) -> (Vec<Step>, u64, Vec<Outer>) {
    let (mut inner, mut outer, mut span, mut wanted) = (Vec::new(), Vec::new(), 1u64, 1u64);
    for step in steps {
        let Step { count, from, to } = *step;
        // After the first step between reads, all longer steps are between reads too.
        let together = if outer.is_empty() { fitting(span, wanted, *step, size) } else { 1 };
        if together < count {
            let cut = (together > 1).then_some(Cut { step: inner.len(), count: together, of: count });
            outer.push(Outer { count: count.div_ceil(together), from: from * together, to: to * together, cut });
        }
        if together > 1 {
            inner.push(Step { count: together, from, to });
            span += (together - 1) * from;
            wanted = if from == 0 { wanted } else { wanted.saturating_mul(together) };
        }
    }
    (inner, span, outer)
}

/// Number of iterations of a step that fit into one read.
fn fitting(span: u64, wanted: u64, step: Step, size: u64) -> u64 {
    let Step { count, from, .. } = step;
    if from == 0 {
        return count;
    }
    let within = |bytes: u64| (bytes / size).saturating_sub(span) / from + 1;
    let dense = from <= wanted.saturating_mul(SPARSE);
    within(if dense { BLOCK } else { SMALL }).min(count)
}

/// Copies the elements of a block to their places, of which `to` is the first.
fn scatter<const SIZE: usize>(block: &[u8], steps: &[Step], from: u64, to: u64, out: &mut [u8]) {
    let place = |element: u64| usize::try_from(element).unwrap_or(usize::MAX);
    let (Some(step), rest) = (steps.last(), &steps[..steps.len().saturating_sub(1)]) else {
        let (block, _) = block.as_chunks::<SIZE>();
        let (out, _) = out.as_chunks_mut::<SIZE>();
        out[place(to)] = block[place(from)];
        return;
    };
    if rest.is_empty() {
        let (block, _) = block.as_chunks::<SIZE>();
        let (out, _) = out.as_chunks_mut::<SIZE>();
        for number in 0..step.count {
            out[place(to + number * step.to)] = block[place(from + number * step.from)];
        }
        return;
    }
    for number in 0..step.count {
        scatter::<SIZE>(block, rest, from + number * step.from, to + number * step.to, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxes(axes: &[u64], first: u64, count: u64) -> Vec<(Vec<u64>, Vec<u64>)> {
        Boxes::new(axes, first, count).map(|part| (part.start, part.sizes)).collect()
    }

    #[test]
    fn a_range_is_few_boxes() {
        assert_eq!(boxes(&[4, 5], 0, 20), [(vec![0, 0], vec![4, 5])]);
        assert_eq!(boxes(&[4, 5], 5, 10), [(vec![1, 0], vec![2, 5])]);
        let three = [(vec![0, 3], vec![1, 2]), (vec![1, 0], vec![2, 5]), (vec![3, 0], vec![1, 1])];
        assert_eq!(boxes(&[4, 5], 3, 13), three);
        assert_eq!(boxes(&[], 0, 1), [(vec![], vec![])]);
        assert_eq!(boxes(&[2, 3, 4], 1, 22).len(), 4);
    }

    #[test]
    fn long_and_thin_steps_are_read_in_parts() {
        // A column of a wide matrix, then a full column-major matrix.
        let (inner, span, outer) = split(&[Step { count: 1000, from: 1 << 20, to: 1 }], 4);
        assert_eq!((inner.len(), span, outer[0].count), (0, 1, 1000));
        let steps = [Step { count: 1 << 12, from: 1, to: 1 << 14 }, Step { count: 1 << 14, from: 1 << 12, to: 1 }];
        let (inner, span, outer) = split(&steps, 4);
        assert_eq!((inner[0].count, span * 4 <= BLOCK), (1 << 12, true));
        assert_eq!(inner[1].count * outer[0].count, 1 << 14);
    }
}
