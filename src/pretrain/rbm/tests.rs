//! Compares with machines so small that all states can be enumerated.

use super::*;

const INPUTS: usize = 8;
const OUTPUTS: usize = 6;

/// A machine of 8 x 6 units with sizeable weights.
fn machine(batch: usize) -> Rbm {
    let name = "w".parse().unwrap();
    let value = |n: usize, step: usize| ((n * step % 17) as f32 - 8.0) / 9.0;
    Rbm {
        options: Options {
            batch,
            learning_rate: 1.0,
            momentum: 0.0,
            weight_decay: 0.0,
            gibbs_steps: 1,
            visible: Activation::Sigmoid,
            sparsity: 0.0,
            sparsity_cost: 0.0,
        },
        weight: Panels::of(&Matrix::new((0..INPUTS * OUTPUTS).map(|n| value(n, 5)).collect(), OUTPUTS)),
        visible_bias: (0..INPUTS).map(|n| value(n, 3)).collect(),
        hidden_bias: (0..OUTPUTS).map(|n| value(n, 7)).collect(),
        weight_step: Panels::zeros(0, OUTPUTS),
        visible_step: vec![0.0; INPUTS],
        hidden_step: vec![0.0; OUTPUTS],
        chains: Panels::zeros(0, OUTPUTS),
        hidden_noise: Noise::uniform(3, &name, "hidden units").unwrap(),
        visible_noise: Noise::uniform(3, &name, "visible units").unwrap(),
        order: Noise::uniform(3, &name, "order").unwrap(),
        kept: SampleCache::default(),
        buffers: Buffers::default(),
    }
}

/// Every state of `units` units, one per row.
fn states(units: usize) -> Matrix<f32> {
    let unit = |n: usize| f32::from(u8::from((n / units) >> (n % units) & 1 == 1));
    Matrix::new((0..units << units).map(unit).collect(), units)
}

/// The probability of a state of independent units with these probabilities.
fn likelihood(chances: &[f32], state: &[f32]) -> f64 {
    let of_unit = |(&chance, &on): (&f32, &f32)| f64::from(if on > 0.0 { chance } else { 1.0 - chance });
    chances.iter().zip(state).map(of_unit).product()
}

/// The probabilities of units, given the others.
fn chances(units: &Units, others: &Matrix<f32>) -> Matrix<f32> {
    let mut chances = Panels::default();
    units.respond(&Factor::from(others), 1.0, &mut chances);
    chances.matrix()
}

fn outer(v: &[f32], h: &[f32]) -> Vec<f64> {
    v.iter().flat_map(|&v| h.iter().map(move |&h| f64::from(v) * f64::from(h))).collect()
}

/// -a'v - sum log(1 + e^(b + v W)) of each sample.
fn free_energies(machine: &Rbm, visible: &Matrix<f32>) -> Vec<f64> {
    let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
    let energy = |(visible, sums): (&[f32], &[f32])| {
        let shift: f64 = wide(visible).iter().zip(wide(&machine.visible_bias)).map(|(v, a)| v * a).sum();
        let sums = wide(sums).into_iter().zip(wide(&machine.hidden_bias));
        -shift - sums.map(|(sum, bias)| libm::log1p(libm::exp(sum + bias))).sum::<f64>()
    };
    visible.each_row().zip(machine.sums(visible).each_row()).map(energy).collect()
}

/// log p of a visible state, from the free energies of this and all other states.
fn log_likelihood(machine: &Rbm, visible: &Matrix<f32>) -> f64 {
    let all: f64 = free_energies(machine, &states(INPUTS)).iter().map(|energy| libm::exp(-energy)).sum();
    -free_energies(machine, visible)[0] - libm::log(all)
}

#[test]
fn statistics_of_data_and_model_are_the_slope_of_the_likelihood() {
    let mut machine = machine(1);
    let data = Matrix::new(vec![1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0], INPUTS);
    let all = states(INPUTS);
    let energies = free_energies(&machine, &all);
    let sum: f64 = energies.iter().map(|energy| libm::exp(-energy)).sum();
    let of_all = chances(&machine.hidden(), &all);
    let mut model = [0.0; INPUTS * OUTPUTS];
    for ((v, h), energy) in all.each_row().zip(of_all.each_row()).zip(&energies) {
        let chance = libm::exp(-energy) / sum;
        model.iter_mut().zip(outer(v, h)).for_each(|(sum, term)| *sum += chance * term);
    }
    let of_data = outer(data.row(0), chances(&machine.hidden(), &data).row(0));
    for (number, (of_data, of_model)) in of_data.into_iter().zip(model).enumerate() {
        let step = 1.0 / 64.0;
        let mut at = |offset: f32| {
            let before = machine.weight.matrix();
            let mut moved = before.clone();
            moved.values_mut()[number] += offset;
            machine.weight = Panels::of(&moved);
            let likelihood = log_likelihood(&machine, &data);
            machine.weight = Panels::of(&before);
            likelihood
        };
        let slope = (at(step) - at(-step)) / f64::from(2.0 * step);
        assert!((slope - (of_data - of_model)).abs() < 1e-4, "weight {number}: {slope}, {}", of_data - of_model);
    }
}

#[test]
fn a_step_of_cd_1_is_that_of_the_enumerated_machine_on_average() {
    const SAMPLES: usize = 1 << 17;
    let mut machine = machine(SAMPLES);
    let sample = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0];
    let before = machine.weight.matrix();
    let of_data = chances(&machine.hidden(), &Matrix::new(sample.to_vec(), INPUTS));
    let (hidden, visible) = (states(OUTPUTS), states(INPUTS));
    let mut transposed = Panels::default();
    machine.weight.transpose_into(&mut transposed);
    let again = chances(&machine.visible(&transposed), &hidden);
    let of_visible = chances(&machine.hidden(), &visible);
    let mut negative = [0.0; INPUTS * OUTPUTS];
    for (h, chances) in hidden.each_row().zip(again.each_row()) {
        let of_hidden = likelihood(of_data.row(0), h);
        for (v, h) in visible.each_row().zip(of_visible.each_row()) {
            let chance = of_hidden * likelihood(chances, v);
            negative.iter_mut().zip(outer(v, h)).for_each(|(sum, term)| *sum += chance * term);
        }
    }
    machine.learn(|| Factor::from(&Matrix::new(sample.repeat(SAMPLES), INPUTS)), &mut None, 0);
    let after = machine.weight.matrix();
    let steps = after.values().iter().zip(before.values()).map(|(after, before)| f64::from(after - before));
    let expected = outer(&sample, of_data.row(0)).into_iter().zip(negative).map(|(data, model)| data - model);
    for (number, (step, expected)) in steps.zip(expected).enumerate() {
        // The mean of 2^17 values in [0, 1] has a standard deviation of 1/724 at most.
        assert!((step - expected).abs() < 5.0 * 0.5 / 362.0, "weight {number}: {step}, and {expected} on average");
    }
}

#[test]
fn the_pseudo_likelihood_is_that_of_the_free_energies() {
    let (machine, all) = (machine(1), states(INPUTS));
    let mut flipped = all.clone();
    for (number, row) in flipped.each_row_mut().enumerate() {
        let unit = &mut row[number.wrapping_mul(2_654_435_761) % INPUTS];
        *unit = 1.0 - *unit;
    }
    let energies = free_energies(&machine, &all).into_iter().zip(free_energies(&machine, &flipped));
    let logs: f64 = energies.map(|(here, there)| -libm::log1p(libm::exp(here - there))).sum();
    let expected = logs / all.rows() as f64 * INPUTS as f64;
    let found = machine.pseudo_likelihood(&all, &machine.sums(&all));
    assert!((found - expected).abs() < 1e-4, "{found}, and {expected} by all energies");
}
