//! Parses pickle instructions of protocols 1 to 5, using only their lengths.

use anyhow::{Context, Result, bail, ensure};

/// One instruction with its argument.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instruction<'a> {
    pub(super) code: u8,
    /// Argument, without length prefix or line ends.
    pub(super) argument: &'a [u8],
    /// Offset of the next instruction.
    pub(super) end: usize,
}

/// Last instruction of a pickle.
pub(super) const STOP: u8 = b'.';

/// Longest line, in bytes: a name, or a decimal number.
const MAX_LINE: usize = 1 << 12;

/// Encoding of an argument.
enum Argument {
    /// This number of bytes.
    Fixed(usize),
    /// A length prefix of this many bytes, then that number of bytes.
    LengthPrefixed(usize),
    /// This number of lines.
    Lines(usize),
}

fn argument(code: u8) -> Option<Argument> {
    Some(match code {
        b'.'
        | b'('
        | b')'
        | b't'
        | b'}'
        | b']'
        | b's'
        | b'u'
        | b'a'
        | b'e'
        | b'R'
        | b'b'
        | b'Q'
        | b'N'
        | b'd'
        | b'l'
        | b'o'
        | b'0'
        | b'1'
        | b'2'
        | 0x81
        | 0x85..=0x89
        | 0x8f..=0x94 => Argument::Fixed(0),
        b'K' | b'q' | b'h' | 0x80 => Argument::Fixed(1),
        b'M' => Argument::Fixed(2),
        b'J' | b'r' | b'j' => Argument::Fixed(4),
        b'G' | 0x95 => Argument::Fixed(8),
        b'U' | b'C' | 0x8a | 0x8c => Argument::LengthPrefixed(1),
        b'T' | b'X' | b'B' | 0x8b => Argument::LengthPrefixed(4),
        0x8d | 0x8e | 0x96 => Argument::LengthPrefixed(8),
        b'I' | b'L' | b'F' | b'S' | b'V' | b'g' | b'p' => Argument::Lines(1),
        b'c' | b'i' => Argument::Lines(2),
        _ => return None,
    })
}

impl<'a> Instruction<'a> {
    /// The instruction at offset `at`; `None` if the bytes end within it.
    pub(super) fn read(bytes: &'a [u8], at: usize) -> Result<Option<Self>> {
        let Some((&code, rest)) = bytes.get(at..).and_then(<[u8]>::split_first) else { return Ok(None) };
        let argument = argument(code).with_context(|| format!("unsupported opcode {code:#04x}"))?;
        let (skipped, length, after) = match argument {
            Argument::Fixed(length) => (0, Some(length), 0),
            Argument::LengthPrefixed(width) => (width, rest.get(..width).map(length).transpose()?, 0),
            Argument::Lines(count) => (0, lines(rest, count)?, 1),
        };
        let Some(argument) = length.and_then(|length| rest.get(skipped..)?.get(..length)) else { return Ok(None) };
        Ok(Some(Self { code, argument, end: at + 1 + skipped + argument.len() + after }))
    }
}

/// Decodes a little-endian length.
fn length(bytes: &[u8]) -> Result<usize> {
    let length = bytes.iter().rev().try_fold(0usize, |number, &byte| number.checked_mul(256)?.checked_add(byte.into()));
    length.context("a length exceeds 2^64")
}

/// Length of `count` lines, without the last line end; `None` if that is missing.
fn lines(bytes: &[u8], count: usize) -> Result<Option<usize>> {
    let near = &bytes[..bytes.len().min(MAX_LINE)];
    let end = near.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(count - 1);
    ensure!(end.is_some() || bytes.len() < MAX_LINE, "an unterminated line");
    Ok(end.map(|(end, _)| end))
}

/// Length of the pickle at the start of `bytes`; `None` if they end within it.
pub(in super::super) fn extent(bytes: &[u8]) -> Result<Option<usize>> {
    let mut at = 0;
    while let Some(instruction) = Instruction::read(bytes, at)? {
        at = instruction.end;
        if instruction.code == STOP {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Decodes a little-endian signed integer of any length. Errors beyond 64 bits.
pub(super) fn signed(bytes: &[u8]) -> Result<i64> {
    let Some(sign) = bytes.last().map(|&last| if last < 0x80 { 0u8 } else { 0xff }) else { return Ok(0) };
    let (low, high) = bytes.split_at(bytes.len().min(8));
    let mut number = [sign; 8];
    number[..low.len()].copy_from_slice(low);
    let number = i64::from_le_bytes(number);
    ensure!(
        high.iter().all(|&byte| byte == sign) && (number < 0) == (sign != 0),
        "an integer of {} bytes",
        bytes.len()
    );
    Ok(number)
}

/// The integer argument of an instruction. Errors beyond 64 bits.
pub(super) fn number(instruction: Instruction) -> Result<i64> {
    let Instruction { code, argument, .. } = instruction;
    Ok(match (code, argument) {
        (b'K', &[byte]) => byte.into(),
        (b'M', &[low, high]) => u16::from_le_bytes([low, high]).into(),
        (b'J' | 0x8a | 0x8b, bytes) => signed(bytes)?,
        (b'I' | b'L', digits) => {
            let digits = std::str::from_utf8(digits)?;
            digits.strip_suffix('L').unwrap_or(digits).parse().context("an invalid integer")?
        }
        _ => bail!("opcode {code:#04x} is not an integer"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_width_keep_their_sign() {
        let cases: [(&[u8], i64); 6] = [
            (&[], 0),
            (&[255], -1),
            (&[255, 0], 255),
            (&[0, 0, 0, 128], i32::MIN.into()),
            (&[255, 255, 255, 255, 255, 255, 255, 127], i64::MAX),
            (&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1),
        ];
        for (bytes, number) in cases {
            assert_eq!(signed(bytes).unwrap(), number, "{bytes:?}");
        }
        assert!(signed(&[0, 0, 0, 0, 0, 0, 0, 128, 0]).is_err());
        assert!(signed(&[0; 9].map(|_| 1)).is_err());
    }

    #[test]
    fn a_pickle_ends_at_its_stop_and_not_at_a_point_in_a_text() {
        assert_eq!(extent(b"\x80\x02X\x01\0\0\0..more").unwrap(), Some(9));
        for cut in 0..9 {
            assert_eq!(extent(&b"\x80\x02X\x01\0\0\0.."[..cut]).unwrap(), None);
        }
        assert!(extent(b"\xff.").is_err());
        assert!(extent(&[b'c'; MAX_LINE + 1]).is_err());
    }
}
