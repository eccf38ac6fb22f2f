//! The measurements of a run, for the log, the picture and the checkpoint.

/// The measurements of an epoch.
pub struct Report {
    /// The layer, from 0.
    pub layer: usize,
    /// The number of layers.
    pub layers: usize,
    /// The epoch, from 1.
    pub epoch: u64,
    /// The maximum number of epochs of a layer.
    pub epochs: u64,
    /// Means over training samples, each with its name.
    pub training: Vec<(&'static str, f64)>,
    /// Means over validation samples; empty if there are none.
    pub held_out: Vec<(&'static str, f64)>,
    /// The share of the variance that the first 1, 2, ... outputs explain; empty for methods without it.
    pub explained: Vec<f64>,
    /// The duration with measuring.
    pub seconds: f64,
}

/// The measurements after each epoch, layer by layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History(Vec<Measured>);

/// The measurements of a layer: each series has a value per measured epoch.
#[derive(Clone, Debug, Default, PartialEq)]
struct Measured {
    layer: usize,
    epochs: Vec<f64>,
    seconds: Vec<f64>,
    training: Vec<Series>,
    held_out: Vec<Series>,
    /// The shares of the last epoch. A file lacks them: methods that have them learn a layer in one epoch, without a checkpoint.
    explained: Vec<f64>,
}

/// The name of a measure, and its values.
type Series = (String, Vec<f64>);

/// The measurements after one epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a> {
    /// The layer, from 0.
    pub layer: usize,
    /// The epoch, from 1.
    pub epoch: f64,
    /// Means over training samples, each with its name.
    pub training: Vec<(&'a str, f64)>,
    /// Means over validation samples; empty if there are none.
    pub held_out: Vec<(&'a str, f64)>,
    /// The duration of the epoch.
    pub seconds: f64,
}

impl History {
    /// Appends the measurements of an epoch.
    pub fn add(&mut self, report: &Report) {
        if self.0.last().is_none_or(|last| last.layer != report.layer) {
            let empty = |means: &[(&str, f64)]| means.iter().map(|(name, _)| ((*name).into(), Vec::new())).collect();
            let (training, held_out) = (empty(&report.training), empty(&report.held_out));
            self.0.push(Measured { layer: report.layer, training, held_out, ..Measured::default() });
        }
        let Some(last) = self.0.last_mut() else { return };
        #[expect(clippy::cast_precision_loss, reason = "at most 10^9")]
        last.epochs.push(report.epoch as f64);
        last.seconds.push(report.seconds);
        last.explained.clone_from(&report.explained);
        for (series, means) in [(&mut last.training, &report.training), (&mut last.held_out, &report.held_out)] {
            series.iter_mut().zip(means).for_each(|((_, values), &(_, mean))| values.push(mean));
        }
    }

    /// All measurements, in the order of the run.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.0.iter().flat_map(|measured| (0..measured.epochs.len()).map(|at| measured.row(at)))
    }

    /// The last measurements of layers with explained variance, each with the share that the first 1, 2, ... outputs explain.
    pub fn explained(&self) -> impl Iterator<Item = (Row<'_>, &[f64])> {
        let measured = self.0.iter().filter(|measured| !measured.explained.is_empty());
        measured.filter_map(|measured| {
            Some((measured.row(measured.epochs.len().checked_sub(1)?), measured.explained.as_slice()))
        })
    }

    /// The measurements of the last epoch.
    pub fn last(&self) -> Option<Row<'_>> {
        let measured = self.0.last()?;
        Some(measured.row(measured.epochs.len().checked_sub(1)?))
    }

    /// Each series under a unique name, for a file. Sorted names are in the order of the measures.
    pub(super) fn series(&self) -> impl Iterator<Item = Series> {
        self.0.iter().flat_map(|measured| {
            let Measured { layer, epochs, seconds, training, held_out, .. } = measured;
            let own = [("epoch", epochs), ("seconds", seconds)];
            let own = own.into_iter().map(move |(word, values)| (format!("{layer}.{word}"), values.clone()));
            let means = [("training", training), ("held_out", held_out)].into_iter().flat_map(move |(part, series)| {
                let named = move |(number, (name, values)): (usize, &Series)| {
                    (format!("{layer}.{part}.{number}.{name}"), values.clone())
                };
                series.iter().enumerate().map(named)
            });
            own.chain(means)
        })
    }

    /// The inverse of [`History::series`], by sorted names; `None` if the series do not fit together.
    pub(super) fn from_series(series: impl Iterator<Item = Series>) -> Option<Self> {
        let mut layers: std::collections::BTreeMap<usize, Measured> = std::collections::BTreeMap::new();
        for (name, values) in series {
            let (layer, word) = name.split_once('.')?;
            let layer = layer.parse().ok()?;
            let measured = layers.entry(layer).or_insert_with(|| Measured { layer, ..Measured::default() });
            match word.splitn(3, '.').collect::<Vec<_>>().as_slice() {
                ["epoch"] => measured.epochs = values,
                ["seconds"] => measured.seconds = values,
                ["training", _, name] => measured.training.push(((*name).into(), values)),
                ["held_out", _, name] => measured.held_out.push(((*name).into(), values)),
                _ => return None,
            }
        }
        let is_complete = layers.values().all(|measured| {
            let means = measured.training.iter().chain(&measured.held_out).map(|(_, values)| values.len());
            means.chain([measured.seconds.len()]).all(|count| count == measured.epochs.len())
        });
        is_complete.then(|| Self(layers.into_values().collect()))
    }
}

impl Measured {
    fn row(&self, at: usize) -> Row<'_> {
        fn means(series: &[Series], at: usize) -> Vec<(&str, f64)> {
            series.iter().map(|(name, values)| (name.as_str(), values[at])).collect()
        }
        Row {
            layer: self.layer,
            epoch: self.epochs[at],
            training: means(&self.training, at),
            held_out: means(&self.held_out, at),
            seconds: self.seconds[at],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_survives_a_file() {
        let mut history = History::default();
        for (layer, epoch) in [(0, 1), (0, 2), (1, 1), (1, 2), (1, 3)] {
            let held_out = if layer == 0 { vec![("b c", 0.5)] } else { Vec::new() };
            let training = vec![("z", 0.1 * epoch as f64), ("a.b", -1.0)];
            history.add(&Report {
                layer,
                layers: 2,
                epoch,
                epochs: 3,
                training,
                held_out,
                explained: Vec::new(),
                seconds: 0.25,
            });
        }
        let mut series: Vec<_> = history.series().collect();
        series.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(History::from_series(series.clone().into_iter()), Some(history.clone()));
        assert_eq!(history.rows().last(), history.last());
        assert_eq!(history.rows().count(), 5);
        series[0].1.pop();
        assert_eq!(History::from_series(series.into_iter()), None);
        assert_eq!(History::from_series(std::iter::once(("0.x".into(), vec![]))), None);
    }
}
