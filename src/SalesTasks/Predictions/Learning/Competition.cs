namespace SalesTasks.Predictions.Learning;

/// <summary>What a competition may spend.</summary>
internal sealed record CompetitionSettings
{
    public int Seed { get; init; }

    /// <summary>Rows are given oldest first and later rows are what is to be predicted: the newest judge.</summary>
    public bool Temporal { get; init; }

    public int Threads { get; init; } = 1;

    /// <summary>The group of each row of the table, where rows are not independent; folds then hold whole groups.</summary>
    public int[]? Groups { get; init; }

    /// <summary>Measures how long fits take.</summary>
    public required TimeProvider Time { get; init; }
}

/// <summary>One way to predict, fitted.</summary>
/// <param name="Name">prior, logistic regression, LightGBM, blend.</param>
/// <param name="LinearWeight">Share of the logistic regression's log-odds.</param>
/// <param name="BoosterWeight">Share of the trees' log-odds.</param>
/// <param name="Calibration">Fitted on the validation rows.</param>
/// <param name="ValidationLoss">Log-loss on rows the model was not fitted on, by row, calibrated.</param>
/// <param name="FitSeconds">Encoding and fitting, all inner fits included.</param>
internal sealed record Candidate(
    string Name, double LinearWeight, double BoosterWeight, Calibration Calibration, double[] ValidationLoss, double FitSeconds)
{
    public double MeanLoss => ValidationLoss.Average();
}

/// <summary>
/// Prior, logistic regression, gradient-boosted trees and their blend compete for the least log-loss on rows they were not fitted on. The
/// prior wins unless another beats it beyond what chance explains.
/// </summary>
internal sealed class Competition : IDisposable
{
    public const string Prior = "prior";
    public const string Linear = "logistic regression";
    public const string Trees = "LightGBM";
    public const string Blend = "blend";

    private const int FoldCount = 4;
    private const int MostTrees = 600;
    private const int Patience = 25;

    /// <summary>Above this, one held-out part is as good a judge as folds and a fifth of the work.</summary>
    private const int FoldsUpTo = 30_000;

    private static readonly double[] s_ridges = [30, 10, 3, 1];

    private readonly DataTable _table;
    private readonly bool[] _labels;
    private readonly CompetitionSettings _settings;
    private readonly List<Member> _members = [];
    private readonly double _priorLogit;

    private Competition(DataTable table, int[] rows, bool[] labels, CompetitionSettings settings)
    {
        _table = table;
        _labels = labels;
        _settings = settings;
        _priorLogit = PriorLogit(rows, labels);
    }

    public IReadOnlyList<Candidate> Candidates { get; private set; } = [];

    public Candidate Chosen { get; private set; } = null!;

    /// <summary>Fits all candidates on rows and chooses one.</summary>
    public static Competition Fit(
        DataTable table, int[] rows, bool[] labels, CompetitionSettings settings, CancellationToken cancellationToken)
    {
        var competition = new Competition(table, rows, labels, settings);
        try
        {
            competition.Run(rows, cancellationToken);
            return competition;
        }
        catch
        {
            competition.Dispose();
            throw;
        }
    }

    /// <summary>Calibrated probabilities of each row by each candidate.</summary>
    public IReadOnlyDictionary<string, (double[] Probabilities, double Seconds)> Predict(int[] rows)
    {
        const int Chunk = 50_000;
        var results = Candidates.ToDictionary(c => c.Name, _ => new double[rows.Length], StringComparer.Ordinal);
        double encode = 0;
        double linearSeconds = 0;
        double treeSeconds = 0;
        for (var start = 0; start < rows.Length; start += Chunk)
        {
            var part = rows[start..Math.Min(start + Chunk, rows.Length)];
            var linear = new double[part.Length];
            var trees = new double[part.Length];
            foreach (var member in _members)
            {
                var clock = _settings.Time.GetTimestamp();
                var encoded = member.Encoder.Encode(_table, part);
                encode += _settings.Time.GetElapsedTime(clock).TotalSeconds;
                clock = _settings.Time.GetTimestamp();
                Add(linear, member.LinearLogits(encoded), _members.Count);
                linearSeconds += _settings.Time.GetElapsedTime(clock).TotalSeconds;
                clock = _settings.Time.GetTimestamp();
                Add(trees, member.TreeLogits(encoded), _members.Count);
                treeSeconds += _settings.Time.GetElapsedTime(clock).TotalSeconds;
            }

            foreach (var candidate in Candidates)
            {
                var probabilities = results[candidate.Name];
                for (var i = 0; i < part.Length; i++)
                {
                    probabilities[start + i] = Logits.ToProbability(Logit(candidate, linear[i], trees[i]));
                }
            }
        }

        return Candidates.ToDictionary(c => c.Name, c => (results[c.Name],
            (c.LinearWeight + c.BoosterWeight > 0 ? encode : 0) + (c.LinearWeight > 0 ? linearSeconds : 0) + (c.BoosterWeight > 0 ? treeSeconds : 0)), StringComparer.Ordinal);
    }

    /// <summary>The chosen candidate as a model that can be kept.</summary>
    public BlendModel Export() => new(
        Chosen.Name,
        Chosen.LinearWeight,
        Chosen.BoosterWeight,
        Chosen.LinearWeight + Chosen.BoosterWeight > 0 ? Chosen.Calibration : new Calibration(0, _priorLogit),
        [.. _members.Select(m => m.Export(Chosen.LinearWeight > 0, Chosen.BoosterWeight > 0))]);

    public void Dispose() => _members.ForEach(m => m.Dispose());

    private void Run(int[] rows, CancellationToken cancellationToken)
    {
        var single = _settings.Temporal || (_settings.Groups is null && rows.Length > FoldsUpTo);
        IReadOnlyList<Split> splits = _settings.Temporal
            ? [Split.Newest(rows, 0.2)]
            : _settings.Groups is { } groups ? Split.GroupFolds(rows, groups, FoldCount)
            : single ? [Split.Folds(rows, _labels, 5)[0]] : Split.Folds(rows, _labels, FoldCount);
        var clock = _settings.Time.GetTimestamp();
        var folds = splits.Select(split => new Fold(_table, split, _labels, _settings.Groups)).ToList();
        var encoding = _settings.Time.GetElapsedTime(clock).TotalSeconds;
        try
        {
            var labels = folds.SelectMany(f => f.TestLabels).ToArray();
            clock = _settings.Time.GetTimestamp();
            var (ridge, linearFits) = FitLinear(folds, cancellationToken);
            var linearSeconds = _settings.Time.GetElapsedTime(clock).TotalSeconds;
            clock = _settings.Time.GetTimestamp();
            var forests = LightGbmNative.Unavailable is null && folds.All(f => f.Encoder.TreeWidth > 0) ? FitTrees(folds, cancellationToken) : null;
            var treeSeconds = _settings.Time.GetElapsedTime(clock).TotalSeconds;

            var prior = folds.SelectMany(f => Enumerable.Repeat(PriorLogit(f.Split.Train, _labels), f.Split.Test.Length)).ToArray();
            var linear = folds.SelectMany((f, k) => Enumerable.Range(0, f.Test.Rows).Select(i => linearFits[k].Logit(f.Test.Linear, i))).ToArray();
            var boosted = forests is null ? null : folds.SelectMany((f, k) => forests[k].Logits(f.Test)).ToArray();

            if (single)
            {
                clock = _settings.Time.GetTimestamp();
                var whole = new Fold(_table, new Split(rows, []), _labels, _settings.Groups);
                encoding += _settings.Time.GetElapsedTime(clock).TotalSeconds;
                clock = _settings.Time.GetTimestamp();
                var fit = LogisticRegression.Fit(whole.Train.Linear, whole.TrainLabels, ridge, linearFits[0], cancellationToken);
                linearSeconds += _settings.Time.GetElapsedTime(clock).TotalSeconds;
                clock = _settings.Time.GetTimestamp();
                var forest = forests is null ? new Forest() : Grow(whole, forests[0], cancellationToken);
                forests?.ForEach(f => f.Dispose());
                treeSeconds += _settings.Time.GetElapsedTime(clock).TotalSeconds;
                _members.Add(new Member(whole.Encoder, fit, forest));
            }
            else
            {
                for (var k = 0; k < folds.Count; k++)
                {
                    _members.Add(new Member(folds[k].Encoder, linearFits[k], forests?[k] ?? new Forest()));
                }
            }

            Candidates = Judge(prior, linear, boosted, labels, encoding, linearSeconds, treeSeconds);
            Chosen = Choose(Candidates);
        }
        finally
        {
            folds.ForEach(f => f.Dispose());
        }
    }

    private List<Candidate> Judge(
        double[] prior, double[] linear, double[]? boosted, bool[] labels, double encoding, double linearSeconds, double treeSeconds)
    {
        var candidates = new List<Candidate> { new(Prior, 0, 0, Calibration.None, Losses(prior, labels), 0) };
        Candidate Of(string name, double linearWeight, double boosterWeight, double seconds)
        {
            var logits = linear.Select((l, i) => (linearWeight * l) + (boosterWeight * (boosted?[i] ?? 0))).ToArray();
            var calibration = _settings.Temporal ? Calibration.FitOverTime(logits, labels) : Calibration.Fit(logits, labels);
            return new Candidate(name, linearWeight, boosterWeight, calibration, Losses([.. logits.Select(calibration.Apply)], labels), seconds);
        }

        candidates.Add(Of(Linear, 1, 0, encoding + linearSeconds));
        if (boosted is not null)
        {
            candidates.Add(Of(Trees, 0, 1, encoding + treeSeconds));
            candidates.Add(Enumerable.Range(1, 9)
                .Select(tenth => Of(Blend, tenth / 10.0, 1 - (tenth / 10.0), encoding + linearSeconds + treeSeconds))
                .MinBy(c => c.MeanLoss)!);
        }

        return candidates;
    }

    private static Candidate Choose(IReadOnlyList<Candidate> candidates)
    {
        var best = candidates.MinBy(c => c.MeanLoss)!;
        var gains = candidates[0].ValidationLoss.Zip(best.ValidationLoss, (prior, own) => prior - own).ToArray();
        return Gain.Of(gains).IsCredible ? best : candidates[0];
    }

    private static double[] Losses(double[] logits, bool[] labels) => [.. logits.Select((logit, i) => Logits.Loss(logit, labels[i]))];

    /// <summary>The penalty is the one that is best on the first fold; the others start from its weights.</summary>
    private static (double Ridge, List<LogisticRegression> Fits) FitLinear(List<Fold> folds, CancellationToken cancellationToken)
    {
        (double Ridge, LogisticRegression Fit, double Loss)? best = null;
        // Of many rows no penalty is left that matters.
        foreach (var ridge in folds[0].Train.Rows > FoldsUpTo ? s_ridges[^2..] : s_ridges)
        {
            var fit = LogisticRegression.Fit(folds[0].Train.Linear, folds[0].TrainLabels, ridge, best?.Fit, cancellationToken);
            var loss = Enumerable.Range(0, folds[0].Test.Rows).Sum(i => Logits.Loss(fit.Logit(folds[0].Test.Linear, i), folds[0].TestLabels[i]));
            if (best is not null && loss >= best.Value.Loss)
            {
                break;
            }

            best = (ridge, fit, loss);
        }

        var (chosen, first, _) = best!.Value;
        return (chosen, [first, .. folds.Skip(1).Select(fold =>
            LogisticRegression.Fit(fold.Train.Linear, fold.TrainLabels, chosen, first, cancellationToken))]);
    }

    /// <summary>
    /// Grows all folds' trees side by side. The number of trees that is best over the folds together is taken for each kind of settings: a
    /// number a fold chose for itself would fit the very rows that are to judge it.
    /// </summary>
    private List<Forest> FitTrees(List<Fold> folds, CancellationToken cancellationToken)
    {
        var kinds = BoosterSettings.Kinds(_settings.Seed, _settings.Threads);
        foreach (var fold in folds)
        {
            fold.Rows = new BoosterRows(fold.Train, fold.TrainLabels, kinds[0].Parameters(fold.Encoder.Categorical, fold.Train.Rows));
            fold.Watched = new BoosterRows(fold.Test, fold.TestLabels, kinds[0].Parameters(fold.Encoder.Categorical, fold.Train.Rows), fold.Rows);
        }

        var result = folds.Select(_ => new Forest()).ToList();
        for (var kind = 0; kind < kinds.Count; kind++)
        {
            // With several folds each has one kind, in turn; their mean holds all kinds.
            var own = Enumerable.Range(0, folds.Count).Where(k => folds.Count == 1 || k % kinds.Count == kind).ToList();
            var boosters = own.Select(k => new Booster(folds[k].Rows!, kinds[kind].Parameters(folds[k].Encoder.Categorical, folds[k].Train.Rows))).ToList();
            for (var i = 0; i < own.Count; i++)
            {
                result[own[i]].Boosters.Add(boosters[i]);
                boosters[i].Watch(folds[own[i]].Watched!);
            }

            var best = (Loss: double.PositiveInfinity, Trees: 1);
            for (var trees = 1; trees <= MostTrees && trees - best.Trees <= Patience; trees++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                boosters.ForEach(b => b.Grow());
                var loss = boosters.Select((b, i) => b.WatchedLoss() * folds[own[i]].Test.Rows).Sum();
                if (loss < best.Loss)
                {
                    best = (loss, trees);
                }
            }

            own.ForEach(k => result[k].Trees.Add(best.Trees));
        }

        return result;
    }

    /// <summary>Grows trees of each kind on all rows, as many as the held-out part asked for, and more as there are more rows.</summary>
    private Forest Grow(Fold fold, Forest pattern, CancellationToken cancellationToken)
    {
        var kinds = BoosterSettings.Kinds(_settings.Seed, _settings.Threads);
        var forest = new Forest();
        for (var kind = 0; kind < kinds.Count; kind++)
        {
            var parameters = kinds[kind].Parameters(fold.Encoder.Categorical, fold.Train.Rows);
            fold.Rows ??= new BoosterRows(fold.Train, fold.TrainLabels, parameters);
            var booster = new Booster(fold.Rows, parameters);
            forest.Boosters.Add(booster);
            forest.Trees.Add(pattern.Trees[kind] * 10 / 9);
            for (var tree = 0; tree < forest.Trees[kind]; tree++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                booster.Grow();
            }
        }

        return forest;
    }

    private double Logit(Candidate candidate, double linear, double trees) => candidate.LinearWeight + candidate.BoosterWeight > 0
        ? candidate.Calibration.Apply((candidate.LinearWeight * linear) + (candidate.BoosterWeight * trees))
        : _priorLogit;

    private static double PriorLogit(int[] rows, bool[] labels)
    {
        var positives = rows.Count(row => labels[row]);
        return Math.Log((positives + 0.5) / (rows.Length - positives + 0.5));
    }

    private static void Add(double[] sum, double[] part, int count)
    {
        for (var i = 0; i < sum.Length; i++)
        {
            sum[i] += part[i] / count;
        }
    }

    /// <summary>One inner split, encoded.</summary>
    private sealed class Fold : IDisposable
    {
        public Fold(DataTable table, Split split, bool[] labels, int[]? groups)
        {
            Split = split;
            Encoder = Encoder.Fit(table, split.Train, labels);
            Train = Encoder.EncodeTraining(table, split.Train, new TrainingLabels(labels, groups));
            Test = Encoder.Encode(table, split.Test);
            TrainLabels = [.. split.Train.Select(row => labels[row])];
            TestLabels = [.. split.Test.Select(row => labels[row])];
        }

        public Split Split { get; }

        public Encoder Encoder { get; }

        public Encoded Train { get; }

        public Encoded Test { get; }

        public bool[] TrainLabels { get; }

        public bool[] TestLabels { get; }

        public BoosterRows? Rows { get; set; }

        public BoosterRows? Watched { get; set; }

        public void Dispose()
        {
            Watched?.Dispose();
            Rows?.Dispose();
        }
    }

    /// <summary>Boosters whose mean log-odds count.</summary>
    private sealed class Forest : IDisposable
    {
        public List<Booster> Boosters { get; } = [];

        public List<int> Trees { get; } = [];

        public double[] Logits(Encoded rows)
        {
            var sum = new double[rows.Rows];
            for (var b = 0; b < Boosters.Count; b++)
            {
                Add(sum, Boosters[b].Logits(rows, Trees[b]), Boosters.Count);
            }

            return sum;
        }

        public void Dispose() => Boosters.ForEach(b => b.Dispose());
    }

    private sealed class Member(Encoder encoder, LogisticRegression linear, Forest forest) : IDisposable
    {
        public Encoder Encoder { get; } = encoder;

        public BlendMember Export(bool withLinear, bool withTrees) => new(
            Encoder, withLinear ? linear : null, withTrees ? [.. forest.Boosters.Select((b, i) => b.Save(forest.Trees[i]))] : []);

        public double[] LinearLogits(Encoded rows) => [.. Enumerable.Range(0, rows.Rows).Select(i => linear.Logit(rows.Linear, i))];

        public double[] TreeLogits(Encoded rows) => forest.Logits(rows);

        public void Dispose() => forest.Dispose();
    }
}
