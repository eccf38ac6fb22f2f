//! A canvas of shapes. Its unit is a pixel of a web page, 1/96 inch.

use super::font;
use super::ink::Ink;
use crate::tensor::to_f64;
use crate::text::escape;

/// A place: right and down from the upper left corner.
pub(super) type Point = (f64, f64);

/// A count as a number.
pub(super) fn real(count: usize) -> f64 {
    to_f64(count as u64)
}

/// A rectangle by its upper left corner and its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// The shapes of a picture in the order of drawing.
pub(super) struct Canvas {
    pub(super) width: f64,
    pub(super) height: f64,
    /// A comment in the file.
    pub(super) comment: Option<String>,
    pub(super) shapes: Vec<Shape>,
}

#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// The start of a named group of shapes.
    Open(&'static str),
    Close,
    Rects {
        areas: Vec<Area>,
        ink: Ink,
    },
    Line {
        points: Vec<Point>,
        ink: Ink,
        width: f64,
        dashed: bool,
    },
    Dots {
        points: Vec<Point>,
        ink: Ink,
        radius: f64,
    },
    Text(Text),
}

/// A line of text.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// The place of its start, middle or end on the baseline.
    pub(super) at: Point,
    pub(super) words: String,
    pub(super) role: Role,
    pub(super) anchor: Anchor,
    /// True if it runs upwards.
    pub(super) turned: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// The role of a text, which determines its size and colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The title of the picture.
    Heading,
    /// The title of a panel.
    Title,
    Caption,
    Tick,
    /// The label of an axis.
    Label,
    Legend,
}

impl Role {
    pub(super) const fn size(self) -> f64 {
        match self {
            Self::Heading => 18.0,
            Self::Title => 13.0,
            Self::Caption | Self::Tick | Self::Label | Self::Legend => 11.0,
        }
    }

    pub(super) const fn ink(self) -> Ink {
        match self {
            Self::Heading | Self::Title => Ink::Text,
            Self::Caption | Self::Tick | Self::Label | Self::Legend => Ink::Muted,
        }
    }

    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Heading => "heading",
            Self::Title => "title",
            Self::Caption => "caption",
            Self::Tick => "tick",
            Self::Label => "label",
            Self::Legend => "legend",
        }
    }
}

impl Text {
    pub(super) fn new(at: Point, role: Role, anchor: Anchor, words: impl Into<String>) -> Self {
        Self { at, words: escape(&words.into()), role, anchor, turned: false }
    }

    pub(super) fn width(&self) -> f64 {
        font::width(&self.words, self.role.size())
    }

    /// The start of the baseline.
    pub(super) fn start(&self) -> Point {
        let before = match self.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => self.width() / 2.0,
            Anchor::End => self.width(),
        };
        if self.turned { (self.at.0, self.at.1 + before) } else { (self.at.0 - before, self.at.1) }
    }
}

impl Canvas {
    pub(super) fn text(&mut self, at: Point, role: Role, anchor: Anchor, words: impl Into<String>) {
        self.shapes.push(Shape::Text(Text::new(at, role, anchor, words)));
    }

    pub(super) fn line(&mut self, ink: Ink, from: Point, to: Point) {
        self.shapes.push(Shape::Line { points: vec![from, to], ink, width: 1.0, dashed: false });
    }
}
