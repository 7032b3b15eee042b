using System.Text;
using CsvHelper;

namespace SalesTasks.Leads;

/// <summary>
/// The rows that did not go in: a CSV file with source file, line, reason and the record as it stood there. Cells that a spreadsheet would
/// run as formulas get an apostrophe. Written under a name of its own and renamed at the end, so that nobody reads half of it; it holds
/// personal data and only its owner may read it.
/// </summary>
internal sealed class RejectFile : IAsyncDisposable
{
    public const string Ending = ".rejects.csv";
    private const int ReasonsToShow = 10;
    private const string Header = "file,line,reason,record";

    private readonly string _path;
    private readonly bool _mayMove;
    private readonly bool _dryRun;
    private readonly Dictionary<string, (long Count, string File, long Line)> _reasons = new(StringComparer.Ordinal);
    private FileStream? _stream;
    private CsvWriter? _writer;
    private string _final = "";

    /// <param name="path">Where it should be.</param>
    /// <param name="mayMove">True: a temporary folder will do where that place cannot be written.</param>
    /// <param name="dryRun">True: only count.</param>
    public RejectFile(string path, bool mayMove, bool dryRun)
    {
        _path = path;
        _mayMove = mayMove;
        _dryRun = dryRun;
        if (!dryRun && !mayMove)
        {
            // Better now than after the work.
            Open();
        }
    }

    public long Count { get; private set; }

    /// <summary>The reject file of an earlier run that no longer applies and could not be deleted.</summary>
    public string? Stale { get; private set; }

    /// <summary>The reasons in the order of how often they occurred, with the first place of each.</summary>
    public IReadOnlyList<object?> Reasons =>
    [
        .. _reasons.OrderByDescending(reason => reason.Value.Count).Take(ReasonsToShow).Select(object? (reason) =>
            new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["reason"] = reason.Key,
                ["rows"] = reason.Value.Count,
                ["file"] = reason.Value.File,
                ["first_line"] = reason.Value.Line,
            }),
    ];

    public void Add(string file, long line, string reason, string record)
    {
        Count++;
        _reasons[reason] = _reasons.TryGetValue(reason, out var seen) ? seen with { Count = seen.Count + 1 } : (1, file, line);
        if (_dryRun)
        {
            return;
        }

        if (_writer is null)
        {
            Open();
        }

        _writer!.WriteField(file);
        _writer.WriteField(line);
        _writer.WriteField(reason);
        // Some spreadsheets skip a leading NUL, which the writer does not know about.
        _writer.WriteField(record is ['\0', ..] ? "'" + record : record);
        _writer.EndRecord();
    }

    /// <summary>Where the file stands now, to go back to.</summary>
    public RejectMark Mark()
    {
        _writer?.Flush();
        return new RejectMark(Count, _stream?.Length ?? 0, new Dictionary<string, (long Count, string File, long Line)>(_reasons));
    }

    /// <summary>Forgets what was added since: a batch that is done anew reports its rows anew.</summary>
    public void GoBack(RejectMark mark)
    {
        Count = mark.Count;
        _reasons.Clear();
        foreach (var (reason, seen) in mark.Reasons)
        {
            _reasons.Add(reason, seen);
        }

        _writer?.Flush();
        if (_stream is not null && mark.Length > 0)
        {
            _stream.SetLength(mark.Length);
            _stream.Seek(0, SeekOrigin.End);
        }
        else if (_stream is not null)
        {
            Drop();
        }
    }

    /// <summary>Gives the file its name; where nothing was rejected, a file of an earlier run goes away. Returns its path, if any.</summary>
    public async Task<string?> CompleteAsync(CancellationToken cancellationToken)
    {
        if (_dryRun)
        {
            return null;
        }

        if (Count == 0)
        {
            Drop();
            DropOld();
            return null;
        }

        await _writer!.FlushAsync(cancellationToken);
        await _writer.DisposeAsync();
        var part = _stream!.Name;
        _writer = null;
        _stream = null;
        File.Move(part, _final, overwrite: true);
        return _final;
    }

    public ValueTask DisposeAsync()
    {
        Drop();
        return ValueTask.CompletedTask;
    }

    private void Open()
    {
        _final = _path;
        try
        {
            _stream = Create(_final);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _stream = _mayMove ? CreateElsewhere(exception) : throw JobException.Usage(
                $"reject_path: '{_path}' cannot be written ({exception.GetType().Name}); allowed: a file or folder this user may write", exception);
        }

        _writer = CsvWriter.Create(_stream, new CsvWriterOptions
        {
            NewLine = "\n",
            Injection = CsvInjection.Escape,
            InjectionCharacters = "=@+-\t\r\n",
        });
        _writer.WriteHeader(Header.Split(','));
    }

    private FileStream CreateElsewhere(Exception reason)
    {
        _final = Path.Combine(Path.GetTempPath(), $"{Guid.CreateVersion7():N}-{Path.GetFileName(_path)}");
        try
        {
            return Create(_final);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw JobException.Usage(
                $"Rejected rows can be written neither to '{_path}' ({reason.GetType().Name}) nor to '{Path.GetTempPath()}' "
                + $"({exception.GetType().Name}); say with reject_path where to", exception);
        }
    }

    private static FileStream Create(string final)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Read };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream($"{final}.{Guid.CreateVersion7():N}.part", options);
    }

    private void Drop()
    {
        if (_stream is { } stream)
        {
            _writer?.Dispose();
            stream.Dispose();
            File.Delete(stream.Name);
            _writer = null;
            _stream = null;
        }
    }

    private void DropOld()
    {
        try
        {
            if (File.Exists(_path) && IsOurs(_path))
            {
                File.Delete(_path);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Stale = _path;
        }
    }

    private static bool IsOurs(string path)
    {
        using var reader = new StreamReader(path, Encoding.UTF8);
        return string.Equals(reader.ReadLine(), Header, StringComparison.Ordinal);
    }
}

/// <summary>A place in a reject file to go back to.</summary>
internal sealed record RejectMark(long Count, long Length, IReadOnlyDictionary<string, (long Count, string File, long Line)> Reasons);
