namespace SalesTasks.Predictions.Learning;

/// <summary>
/// Logistic regression with a ridge penalty, fitted by Newton's method with conjugate gradients inside (Lin, Weng, Keerthi 2008); the same
/// data gives the same weights.
/// </summary>
/// <param name="Weights">One a linear column.</param>
/// <param name="Intercept">Not penalised.</param>
internal sealed record LogisticRegression(double[] Weights, double Intercept)
{
    private const int MostSteps = 30;
    private const int MostInnerSteps = 50;

    /// <summary>The gradient's length against the first one's at which the fit is good enough: log-loss then is exact to about 1e-7.</summary>
    private const double Tolerance = 3e-3;

    /// <summary>The penalised maximum-likelihood fit.</summary>
    /// <param name="rows">The features.</param>
    /// <param name="labels">One a row.</param>
    /// <param name="ridge">The penalty: ridge / 2 × the weights' squared length, against the sum (not the mean) of the losses.</param>
    /// <param name="start">Where to start, such as the fit of a neighbouring penalty.</param>
    /// <param name="cancellationToken">Ends the fit.</param>
    public static LogisticRegression Fit(
        SparseRows rows, bool[] labels, double ridge, LogisticRegression? start, CancellationToken cancellationToken)
    {
        // The last place is the intercept's.
        var weights = new double[rows.Columns + 1];
        if (start is not null && start.Weights.Length == rows.Columns)
        {
            start.Weights.CopyTo(weights, 0);
            weights[^1] = start.Intercept;
        }
        else
        {
            var positives = labels.Count(l => l);
            weights[^1] = Math.Log((positives + 0.5) / (labels.Length - positives + 0.5));
        }

        var logits = new double[labels.Length];
        var curvature = new double[labels.Length];
        var gradient = new double[weights.Length];
        var step = new double[weights.Length];
        var objective = Objective(rows, labels, ridge, weights, logits);
        var first = 0.0;
        for (var iteration = 0; iteration < MostSteps; iteration++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var diagonal = Gradient(rows, labels, ridge, weights, logits, gradient, curvature);
            var length = Math.Sqrt(Dot(gradient, gradient));
            first = iteration == 0 ? Math.Max(length, 1e-12) : first;
            if (length <= Tolerance * first && iteration > 0)
            {
                break;
            }

            Solve(rows, ridge, curvature, diagonal, gradient, step, Math.Min(0.1, Math.Sqrt(length / first)) * length);
            var slope = Dot(gradient, step);
            var scale = 1.0;
            var next = new double[weights.Length];
            for (var attempt = 0; ; attempt++, scale /= 2)
            {
                for (var j = 0; j < weights.Length; j++)
                {
                    next[j] = weights[j] + (scale * step[j]);
                }

                var better = Objective(rows, labels, ridge, next, logits);
                if (better <= objective + (1e-4 * scale * slope))
                {
                    objective = better;
                    weights = next;
                    break;
                }

                if (attempt == 20)
                {
                    // No digit is left to gain.
                    return new LogisticRegression(weights[..^1], weights[^1]);
                }
            }
        }

        return new LogisticRegression(weights[..^1], weights[^1]);
    }

    /// <summary>Log-odds of one row.</summary>
    public double Logit(SparseRows rows, int row) => Logit(rows, row, Weights, Intercept);

    private static double Logit(SparseRows rows, int row, double[] weights, double intercept)
    {
        var columns = rows.ColumnsOf(row);
        var values = rows.ValuesOf(row);
        var sum = intercept;
        for (var k = 0; k < columns.Length; k++)
        {
            sum += weights[columns[k]] * values[k];
        }

        return sum;
    }

    private static double Objective(SparseRows rows, bool[] labels, double ridge, double[] weights, double[] logits)
    {
        var sum = 0.0;
        for (var i = 0; i < labels.Length; i++)
        {
            var logit = Logit(rows, i, weights, weights[^1]);
            logits[i] = logit;
            var signed = labels[i] ? -logit : logit;
            sum += signed > 0 ? signed + Math.Log(1 + Math.Exp(-signed)) : Math.Log(1 + Math.Exp(signed));
        }

        return sum + (ridge / 2 * (Dot(weights, weights) - (weights[^1] * weights[^1])));
    }

    private static double[] Gradient(
        SparseRows rows, bool[] labels, double ridge, double[] weights, double[] logits, double[] gradient, double[] curvature)
    {
        var diagonal = new double[weights.Length];
        for (var j = 0; j < weights.Length - 1; j++)
        {
            gradient[j] = ridge * weights[j];
            diagonal[j] = ridge;
        }

        gradient[^1] = 0;
        for (var i = 0; i < labels.Length; i++)
        {
            var probability = Logits.ToProbability(logits[i]);
            var error = probability - (labels[i] ? 1 : 0);
            var weight = Math.Max(probability * (1 - probability), 1e-10);
            curvature[i] = weight;
            var columns = rows.ColumnsOf(i);
            var values = rows.ValuesOf(i);
            for (var k = 0; k < columns.Length; k++)
            {
                gradient[columns[k]] += error * values[k];
                diagonal[columns[k]] += weight * values[k] * values[k];
            }

            gradient[^1] += error;
            diagonal[^1] += weight;
        }

        return diagonal;
    }

    /// <summary>step = -(Hessian)⁻¹ gradient by conjugate gradients, preconditioned by the diagonal, until the residual is small enough.</summary>
    private static void Solve(
        SparseRows rows, double ridge, double[] curvature, double[] diagonal, double[] gradient, double[] step, double enough)
    {
        Array.Clear(step);
        var residual = gradient.Select(g => -g).ToArray();
        var scaled = residual.Select((r, j) => r / diagonal[j]).ToArray();
        var direction = (double[])scaled.Clone();
        var product = new double[step.Length];
        var energy = Dot(residual, scaled);
        for (var iteration = 0; iteration < MostInnerSteps && Math.Sqrt(Dot(residual, residual)) > enough; iteration++)
        {
            Multiply(rows, ridge, curvature, direction, product);
            var length = energy / Dot(direction, product);
            for (var j = 0; j < step.Length; j++)
            {
                step[j] += length * direction[j];
                residual[j] -= length * product[j];
                scaled[j] = residual[j] / diagonal[j];
            }

            var next = Dot(residual, scaled);
            for (var j = 0; j < step.Length; j++)
            {
                direction[j] = scaled[j] + (next / energy * direction[j]);
            }

            energy = next;
        }
    }

    private static void Multiply(SparseRows rows, double ridge, double[] curvature, double[] vector, double[] product)
    {
        for (var j = 0; j < vector.Length - 1; j++)
        {
            product[j] = ridge * vector[j];
        }

        product[^1] = 0;
        for (var i = 0; i < curvature.Length; i++)
        {
            var columns = rows.ColumnsOf(i);
            var values = rows.ValuesOf(i);
            var along = vector[^1];
            for (var k = 0; k < columns.Length; k++)
            {
                along += vector[columns[k]] * values[k];
            }

            along *= curvature[i];
            for (var k = 0; k < columns.Length; k++)
            {
                product[columns[k]] += along * values[k];
            }

            product[^1] += along;
        }
    }

    private static double Dot(double[] left, double[] right)
    {
        var sum = 0.0;
        for (var j = 0; j < left.Length; j++)
        {
            sum += left[j] * right[j];
        }

        return sum;
    }
}
