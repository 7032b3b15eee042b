using System.Text;
using SalesTasks.Cli;
using SalesTasks.Delivery;
using SalesTasks.Encryption;

namespace SalesTasks.Leads;

/// <summary>
/// <c>leads import</c>: reads files record by record, checks every row, stages the good ones and applies them in batches. What was
/// committed stays after an interruption; the next run of the same input ends in the same state, and a further one changes nothing.
/// </summary>
internal sealed class ImportJob
{
    private readonly JobContext _context;
    private readonly ImportSettings _settings;
    private readonly ImportCounts _counts = new();
    private readonly SortedDictionary<string, long> _formats = new(StringComparer.Ordinal);
    private readonly List<string> _guessed = [];
    private IReadOnlyList<SourceFile> _files = [];

    private ImportJob(JobContext context, ImportSettings settings)
    {
        _context = context;
        _settings = settings;
    }

    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var settings = await ImportSettings.LoadAsync(context, cancellationToken);
        var job = new ImportJob(context, settings);
        using var storage = IsRemote(settings.Path) || IsRemote(context.Parameters.Get(LeadsJobs.RejectPath))
            ? S3Storage.Open(context.ConnectionIds, context.Connections)
            : null;
        job._files = IsRemote(settings.Path) ? await S3File.FindAsync(storage!, settings.Path, cancellationToken) : LocalFile.Find(settings.Path);
        if (job._files.Count == 0)
        {
            context.Log.Warning("There are no data files at {Path}", settings.Path);
        }

        return await job.ImportAsync(storage, cancellationToken);
    }

    private static bool IsRemote(string? path) => path?.StartsWith(S3Storage.Scheme, StringComparison.Ordinal) == true;

    private async Task<JobResult> ImportAsync(S3Storage? storage, CancellationToken cancellationToken)
    {
        await using var rejects = OpenRejects(out var upload);
        var encodings = new List<TextEncoding>();
        foreach (var file in _files)
        {
            encodings.Add(await TextEncoding.DetectAsync(file, _settings.Encoding, cancellationToken));
        }

        var vault = _settings.IsEngagement
            ? null
            : await Vault.OpenAsync(_context.Database, _context.ConnectionIds, _context.Connections, writes: !_context.DryRun, cancellationToken);
        var seal = vault is { Seals: true } ? new ImportSeal(vault) : null;
        await using (var staging = await ImportStaging.StartAsync(_context, _settings.IsEngagement, seal, cancellationToken))
        {
            for (var number = 0; number < _files.Count; number++)
            {
                await StageAsync(staging, rejects, number, encodings[number], cancellationToken);
            }

            await staging.FlushAsync();
            CheckRejected(rejects);
            if (_settings.IsEngagement)
            {
                await new EventImport(_context, staging, rejects, _files, _counts).ApplyAsync();
            }
            else
            {
                await new LeadImport(_context, _settings, staging, rejects, _files, _counts).ApplyAsync();
            }
        }

        _counts.Rejected = rejects.Count;
        var path = await rejects.CompleteAsync(cancellationToken);
        if (path is not null && upload is not null)
        {
            await storage!.UploadAsync(path, upload, cancellationToken);
            File.Delete(path);
            path = upload;
        }

        return Result(rejects, path);
    }

    private async Task StageAsync(
        ImportStaging staging, RejectFile rejects, int number, TextEncoding encoding, CancellationToken cancellationToken)
    {
        var file = _files[number];
        if (encoding.Guessed)
        {
            _guessed.Add(file.Name);
            _context.Log.Warning("{File} is not UTF-8; read as Windows-1252 (Latin-1)", file.Name);
        }

        await using var reader = await OpenAsync(file, encoding, cancellationToken);
        var format = reader switch
        {
            JsonRecords { IsManyChat: true } => "manychat",
            JsonRecords => "jsonl",
            _ => "csv",
        };
        var mapping = _settings.Mapping ?? (format is "manychat"
            ? MappingDocument.Parse(ManyChat.Mapping, "built-in ManyChat mapping")
            : BoundMapping.ByName(_settings.Kind, reader, file.Name, _settings.Required()));
        using var bound = BoundMapping.Bind(mapping, reader, file.Name, _context.AsOf);
        _formats[format] = _formats.GetValueOrDefault(format) + 1;
        IRowWriter writer = _settings.IsEngagement
            ? new EventRows(_settings, bound, staging, await BotPatterns.LoadAsync(_context.Database, cancellationToken))
            : new LeadRows(_settings, bound, staging);
        var before = (Rows: _counts.Rows, Rejected: rejects.Count);
        var row = new MappedRow(MappingDocument.Targets(_settings.Kind).Count);
        while (await ReadAsync(reader, file, cancellationToken))
        {
            _counts.Rows++;
            bound.Read(row);
            var written = row.Fault is null && await writer.WriteAsync(row, number, reader);
            if (row.Fault is { } fault)
            {
                rejects.Add(file.Name, reader.Line, fault, reader.Raw);
            }
            else if (written)
            {
                _counts.Unusable += row.Unusable;
            }
            else
            {
                _counts.Ignored++;
            }
        }

        _counts.Files++;
        _context.Log.Information(
            "{File} read as {Format}: {Rows} rows, {Rejected} rejected", file.Name, format, _counts.Rows - before.Rows, rejects.Count - before.Rejected);
    }

    /// <exception cref="JobException">64: damaged. 75: the connection to the storage broke.</exception>
    private static async Task<bool> ReadAsync(RecordReader reader, SourceFile file, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadAsync(cancellationToken);
        }
        catch (InvalidDataException exception)
        {
            throw JobException.Usage($"'{file.Name}' is damaged after line {reader.Line}", exception);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            throw JobException.Temporary($"'{file.Name}': reading broke off after line {reader.Line}", exception);
        }
    }

    private async Task<RecordReader> OpenAsync(SourceFile file, TextEncoding encoding, CancellationToken cancellationToken)
    {
        var json = _settings.Format switch
        {
            "csv" => false,
            "auto" => encoding.First is '{' or '[',
            _ => true,
        };
        var stream = await file.OpenAsync(cancellationToken);
        if (!json)
        {
            return await CsvRecords.OpenAsync(stream, encoding.Encoding, file.Name, cancellationToken);
        }

        var utf8 = encoding.Encoding is UTF8Encoding ? stream : Encoding.CreateTranscodingStream(stream, encoding.Encoding, Encoding.UTF8);
        bool? manyChat = _settings.Format switch
        {
            "manychat" => true,
            "auto" when !_settings.IsEngagement => null,
            _ => false,
        };
        return await JsonRecords.OpenAsync(utf8, file.Name, manyChat, cancellationToken);
    }

    /// <param name="upload">The <c>s3://</c> address to put the file at in the end; null where it stays on this machine.</param>
    private RejectFile OpenRejects(out string? upload)
    {
        upload = null;
        var asked = _context.Parameters.Get(LeadsJobs.RejectPath);
        var name = Path.GetFileName(_settings.Path.TrimEnd('/')) is { Length: > 0 } last ? last + RejectFile.Ending : "import" + RejectFile.Ending;
        if (asked is null)
        {
            return new RejectFile(
                IsRemote(_settings.Path) ? Path.Combine(Path.GetTempPath(), name)
                    : Directory.Exists(_settings.Path) ? Path.Combine(_settings.Path, name)
                    : _settings.Path + RejectFile.Ending,
                mayMove: true,
                _context.DryRun);
        }

        if (IsRemote(asked))
        {
            upload = asked.EndsWith('/') ? asked + name : asked;
            _ = S3Storage.Split(upload);
            return new RejectFile(Path.Combine(Path.GetTempPath(), $"{Guid.CreateVersion7():N}-{name}"), mayMove: false, _context.DryRun);
        }

        return new RejectFile(Directory.Exists(asked) ? Path.Combine(asked, name) : asked, mayMove: false, _context.DryRun);
    }

    private void CheckRejected(RejectFile rejects)
    {
        if (rejects.Count * 100 > _settings.MaxRejectedPercent * _counts.Rows)
        {
            var reasons = rejects.Reasons.Take(3).Cast<IReadOnlyDictionary<string, object?>>().Select(reason => reason["reason"]);
            throw JobException.Usage(
                $"{rejects.Count} of {_counts.Rows} rows are bad, more than max_rejected_percent ({_settings.MaxRejectedPercent}); nothing was "
                + $"imported. Most frequent: {string.Join("; ", reasons)}");
        }
    }

    private JobResult Result(RejectFile rejects, string? path)
    {
        var details = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["formats"] = _formats.Select(format => KeyValuePair.Create(format.Key, (object?)format.Value)).ToList(),
        };
        if (_guessed.Count > 0)
        {
            details["read_as_windows_1252"] = _guessed.Take(10).Cast<object?>().ToList();
        }

        if (_counts.StoppedAtLimit)
        {
            details["stopped_at_limit"] = true;
        }

        if (rejects.Count > 0)
        {
            details["rejects"] = rejects.Reasons;
        }

        if (path is not null)
        {
            details["reject_file"] = path;
            _context.Log.Warning("{Rejected} rows were rejected; see {File}", rejects.Count, path);
        }

        if (rejects.Stale is { } stale)
        {
            _context.Log.Warning("{File} is of an earlier run and no longer applies, but cannot be deleted", stale);
        }

        return new JobResult(_counts.ToDictionary()) { NothingToDo = _counts.Written + _counts.Rejected == 0, Details = details };
    }
}

/// <summary>Puts a good row into staging.</summary>
internal interface IRowWriter
{
    /// <summary>False where the row is left out without being bad; a bad one gets its fault.</summary>
    public Task<bool> WriteAsync(MappedRow row, int file, RecordReader reader);
}

/// <summary>What a run did, in rows of its files.</summary>
internal sealed class ImportCounts
{
    public long Files { get; set; }

    public long Rows { get; set; }

    public long Inserted { get; set; }

    public long Updated { get; set; }

    public long Unchanged { get; set; }

    /// <summary>New ids that turned out to be known people.</summary>
    public long Merged { get; set; }

    /// <summary>Rows folded into another row of the run with the same id.</summary>
    public long Repeated { get; set; }

    public long Rejected { get; set; }

    /// <summary>Events that are no engagement.</summary>
    public long Ignored { get; set; }

    /// <summary>Values left out of rows that went in.</summary>
    public long Unusable { get; set; }

    public long EventsInserted { get; set; }

    public long EventsDuplicate { get; set; }

    public long EventsBot { get; set; }

    public bool StoppedAtLimit { get; set; }

    public long Written => Inserted + Updated + Merged + EventsInserted;

    public Dictionary<string, long> ToDictionary() => new(StringComparer.Ordinal)
    {
        ["files"] = Files,
        ["rows"] = Rows,
        ["inserted"] = Inserted,
        ["updated"] = Updated,
        ["unchanged"] = Unchanged,
        ["merged"] = Merged,
        ["repeated"] = Repeated,
        ["rejected"] = Rejected,
        ["ignored"] = Ignored,
        ["values_unusable"] = Unusable,
        ["events_inserted"] = EventsInserted,
        ["events_duplicate"] = EventsDuplicate,
        ["events_bot"] = EventsBot,
    };
}
