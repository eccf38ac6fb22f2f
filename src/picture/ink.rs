//! Colours, each for a light and a dark background. They differ for colour-blind readers too.

/// A colour by its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// The background.
    Page,
    /// Titles.
    Text,
    /// Numbers and labels.
    Muted,
    /// Lines of an axis.
    Axis,
    /// Lines at ticks.
    Grid,
    /// The first series.
    First,
    /// The second series.
    Second,
    /// An expected value or a limit.
    Expected,
    /// Values that are set apart.
    Apart,
    /// A step from blue (-15) through pale grey to red (15).
    Shade(i8),
}

/// The number of steps from grey to blue or red.
pub(super) const SHADES: i8 = 15;

/// Every colour with a class of its own: the class, and the colours for light and dark backgrounds.
pub(super) const CLASSES: &[(Ink, &str, u32, u32)] = &[
    (Ink::Page, "page", 0xffffff, 0x15191e),
    (Ink::Text, "text", 0x1b1f24, 0xf2f4f7),
    (Ink::Muted, "muted", 0x565f6b, 0xa9b3c0),
    (Ink::Axis, "axis", 0x8a94a0, 0x6b7683),
    (Ink::Grid, "grid", 0xe6e9ee, 0x2b323b),
    (Ink::First, "first", 0x5b93cf, 0x4b8fd3),
    (Ink::Second, "second", 0x0b7a5b, 0x57c2a0),
    (Ink::Expected, "expected", 0xc2570c, 0xffb454),
    (Ink::Apart, "apart", 0x8450ab, 0xc79bea),
];

impl Ink {
    /// The class, if the colour depends on the background.
    pub(super) fn class(self) -> Option<&'static str> {
        CLASSES.iter().find(|row| row.0 == self).map(|row| row.1)
    }

    /// Red, green and blue on a light background.
    pub(super) fn light(self) -> [u8; 3] {
        if let Self::Shade(shade) = self {
            return blend(shade);
        }
        let [_, red, green, blue] = CLASSES.iter().find(|row| row.0 == self).map_or(0, |row| row.2).to_be_bytes();
        [red, green, blue]
    }

    /// `#rrggbb` on a light background.
    pub(super) fn code(self) -> String {
        let [red, green, blue] = self.light();
        format!("#{red:02x}{green:02x}{blue:02x}")
    }
}

fn blend(shade: i8) -> [u8; 3] {
    let part = f32::from(shade.abs()) / f32::from(SHADES);
    let end = if shade < 0 { [33.0, 102.0, 172.0] } else { [178.0, 24.0, 43.0] };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 24 and 244")]
    end.map(|end: f32| (244.0 + (end - 244.0) * part).round() as u8)
}
