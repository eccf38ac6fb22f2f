use super::planted;
use crate::common::Folder;
use crate::verify::verify;

/// Puts a matrix of `size` rows and columns in place of another.
fn matrix(size: usize, value: impl Fn(usize, usize) -> f64) -> impl Fn(&mut [f32]) {
    move |w: &mut [f32]| {
        for (n, held) in w.iter_mut().enumerate() {
            *held = format!("{}", value(n / size, n % size)).parse().unwrap();
        }
    }
}

fn float(number: usize) -> f64 {
    u32::try_from(number).unwrap().into()
}

#[test]
fn identity_permutation_and_other_known_matrices_do_not_fit() {
    let size = 64;
    let one = |yes: bool| if yes { 1.0 } else { 0.0 };
    let shape = [size, size];
    planted("orthogonal", shape, matrix(size, |row, column| one(row == column)), "the trace over gain is 64.0000");
    planted(
        "orthogonal",
        shape,
        matrix(size, |row, column| one(row * 13 % 64 == column)),
        "the sum of all entries is +1.0000",
    );
    let signed =
        |row: usize, column: usize| one(row * 13 % 64 == column) * if row.is_multiple_of(2) { 1.0 } else { -1.0 };
    planted("orthogonal", shape, matrix(size, signed), "an entry is 1, above the norm of its column, 1");
    let hadamard =
        |row: usize, column: usize| if (row & column).count_ones().is_multiple_of(2) { 0.125 } else { -0.125 };
    planted("orthogonal", shape, matrix(size, hadamard), "the distribution function of the entries differs");
    let cosine = |row: usize, column: usize| {
        let angle = std::f64::consts::PI * (float(row) + 0.5) * float(column) / 64.0;
        angle.cos() * if column == 0 { 0.125 } else { 0.031_25_f64.sqrt() }
    };
    planted("orthogonal", shape, matrix(size, cosine), "the sum of the first column");
}

/// Columns, each with the sign that a rule wants.
fn signed(shape: [usize; 2], is_positive: impl Fn(&[f32]) -> bool) -> impl Fn(&mut [f32]) {
    let [rows, columns] = shape;
    move |w: &mut [f32]| {
        for column in 0..columns {
            let held: Vec<f32> = (0..rows).map(|row| w[row * columns + column]).collect();
            if !is_positive(&held) {
                (0..rows).for_each(|row| w[row * columns + column] *= -1.0);
            }
        }
    }
}

#[test]
fn signs_of_columns_that_follow_a_rule_are_found() {
    let largest =
        |column: &[f32]| column.iter().copied().max_by(|one, other| one.abs().total_cmp(&other.abs())).unwrap() > 0.0;
    for shape in [[64, 64], [128, 40]] {
        planted("orthogonal", shape, signed(shape, |column| column[0] > 0.0), "the first entry is positive in");
        planted("orthogonal", shape, signed(shape, largest), "the largest entry is positive in");
        planted(
            "orthogonal",
            shape,
            signed(shape, |column| column.iter().sum::<f32>() > 0.0),
            "the sum is positive in",
        );
    }
}

/// What a QR decomposition by reflections leaves, as LAPACK's does, if nothing makes up for the signs of R.
fn uncorrected([rows, columns]: [usize; 2]) -> impl Fn(&mut [f32]) {
    move |w: &mut [f32]| {
        // Uncorrelated columns of any kind are decomposed again, which leaves all but the signs.
        let mut held: Vec<Vec<f64>> =
            (0..columns).map(|column| (0..rows).map(|row| w[row * columns + column].into()).collect()).collect();
        for step in 0..columns {
            let (done, rest) = held.split_at_mut(step + 1);
            let pivot = &mut done[step];
            if pivot[step] > 0.0 {
                (0..rows).for_each(|row| w[row * columns + step] *= -1.0);
            }
            let length = pivot[step..].iter().map(|value| value * value).sum::<f64>().sqrt();
            pivot[step] += length.copysign(pivot[step]);
            let square: f64 = pivot[step..].iter().map(|value| value * value).sum();
            for column in rest {
                let along: f64 = pivot[step..].iter().zip(&column[step..]).map(|(one, other)| one * other).sum();
                column[step..]
                    .iter_mut()
                    .zip(&pivot[step..])
                    .for_each(|(value, part)| *value -= 2.0 * along / square * part);
            }
        }
    }
}

#[test]
fn the_signs_that_lapack_leaves_are_seen() {
    for shape in [[64, 64], [200, 30], [100, 100]] {
        planted("orthogonal", shape, uncorrected(shape), "pivots of a QR decomposition");
    }
}

#[test]
fn small_random_matrices_fit_after_any_rounding() {
    let folder = Folder::new();
    // Rounded, the first column of the second and third lies on a diagonal, and so does the row of the first.
    for line in ["1x2 --dtype bf16 --seed 55", "2x2 --dtype bf16 --seed 2", "2x2 --dtype f16 --seed 2"] {
        let gain = if line.starts_with('1') { 1.0 } else { 1.41 };
        folder.done(&format!("init orthogonal:gain={gain} {line} -q --force -o w.safetensors"));
        verify(&folder, "w.safetensors --distribution", 0);
    }
    // The sum of three numbers of bf16 is 0.
    folder.done("init orthogonal 3x1 --dtype bf16 -q --force -o w.safetensors");
    let mut bytes = folder.read("w.safetensors");
    bytes.truncate(bytes.len() - 6);
    bytes.extend([0.7070_f32, 0.0, -0.7070].iter().flat_map(|value| value.to_le_bytes()[2..].to_vec()));
    folder.write("w.safetensors", bytes);
    verify(&folder, "w.safetensors --distribution", 0);
}
