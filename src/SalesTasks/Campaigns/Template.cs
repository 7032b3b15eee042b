using System.Text.Encodings.Web;
using System.Text.Unicode;
using Fluid;
using Fluid.Ast;

namespace SalesTasks.Campaigns;

/// <summary>How a template's values are written.</summary>
internal enum TemplateKind
{
    /// <summary>One line: white space is folded, control characters are dropped.</summary>
    Line,

    /// <summary>As they are.</summary>
    Text,

    /// <summary>Escaped, unless the template says <c>raw</c>.</summary>
    Html,
}

/// <summary>A template that cannot be read or rendered; the message is for its author and quotes no lead's data.</summary>
internal sealed class TemplateException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// A Liquid template for texts to leads. It can reach the lead's facts and nothing else: no files, no other templates, no clock of its own.
/// Steps, output and nesting are bounded, so that neither a loop nor a huge value can hold up a run.
/// </summary>
internal sealed class Template
{
    /// <summary>Characters of a template's source.</summary>
    public const int LargestSource = 64 * 1024;

    /// <summary>Characters of what it renders.</summary>
    public const int LargestOutput = 256 * 1024;

    /// <summary>Mail programs show less of a subject; longer ones are cut.</summary>
    public const int LongestLine = 200;

    private const int MaxSteps = 2_000;

    /// <summary>Tags, brackets and operators of one template: the parser and the renderer recurse, and a stack overflow ends the process.</summary>
    private const int MaxNesting = 300;

    /// <summary>Tags that reach other templates, or buffer what they render where no limit of ours holds.</summary>
    private static readonly string[] s_unwanted =
        ["include", "render", "liquid", "macro", "from", "echo", "doc", "tablerow", "capture", "ifchanged", "cycle"];

    private static readonly FluidParser s_parser = CreateParser();
    private static readonly TemplateOptions s_options = CreateOptions();
    private static readonly TextEncoder s_html = HtmlEncoder.Create(UnicodeRanges.All);

    private readonly IFluidTemplate _template;
    private readonly TemplateKind _kind;

    private Template(IFluidTemplate template, TemplateKind kind)
    {
        _template = template;
        _kind = kind;
    }

    /// <exception cref="TemplateException">It is not well-formed, too large, or names what does not exist.</exception>
    public static Template Parse(string source, TemplateKind kind)
    {
        if (source.Length > LargestSource)
        {
            throw new TemplateException($"{source.Length} characters; allowed: at most {LargestSource}");
        }

        if (Nesting(source) > MaxNesting)
        {
            throw new TemplateException($"more than {MaxNesting} tags, brackets and operators; allowed: a shorter template");
        }

        if (!s_parser.TryParse(source, out var template, out var error))
        {
            throw new TemplateException("not a valid template: " + error.ReplaceLineEndings(" "));
        }

        var names = new TemplateNames();
        names.VisitTemplate(template);
        var unknown = names.Unknown(s_options);
        return unknown.Count == 0 ? new Template(template, kind) : throw new TemplateException(string.Join("; ", unknown));
    }

    /// <summary>The text for one lead.</summary>
    /// <exception cref="TemplateException">It renders too much, loops too long, or computes what cannot be computed.</exception>
    public string Render(LeadFacts facts, string language)
    {
        var context = new TemplateContext(s_options) { Now = () => facts.Now };
        facts.AddTo(context, language);
        try
        {
            using var writer = new BoundedWriter(LargestOutput);
            // Nothing in a template waits for anything, so this is complete when it returns.
            _template.RenderAsync(writer, _kind is TemplateKind.Html ? s_html : NullEncoder.Default, context).AsTask().GetAwaiter().GetResult();
            return _kind is TemplateKind.Line ? Line(writer.ToString()) : Clean(writer.ToString());
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The engine's own messages may quote values.
            throw new TemplateException(Reason(exception), exception);
        }
    }

    private static string Reason(Exception exception) => exception switch
    {
        TemplateException ours => ours.Message,
        InvalidOperationException => "the template does not end or renders too much; allowed: "
            + $"{MaxSteps} steps and {LargestOutput} characters",
        _ => $"the template fails while it is rendered ({exception.GetType().Name})",
    };

    /// <summary>An upper bound of how deep a template can nest.</summary>
    private static int Nesting(string source)
    {
        var count = 0;
        for (var i = 0; i < source.Length; i++)
        {
            count += source[i] switch
            {
                '{' when i + 1 < source.Length && source[i + 1] is '%' => 1,
                '[' or '(' => 1,
                _ => 0,
            };
        }

        foreach (var word in (string[])[" and ", " or "])
        {
            for (var at = source.IndexOf(word, StringComparison.Ordinal); at >= 0; at = source.IndexOf(word, at + word.Length - 1, StringComparison.Ordinal))
            {
                count++;
            }
        }

        return count;
    }

    private static string Line(string text)
    {
        var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Select(word => new string([.. word.Where(c => !char.IsControl(c))]))
            .Where(word => word.Length > 0);
        var line = string.Join(' ', words);
        if (line.Length <= LongestLine)
        {
            return line;
        }

        var end = char.IsHighSurrogate(line[LongestLine - 2]) ? LongestLine - 2 : LongestLine - 1;
        return line[..end] + "…";
    }

    /// <summary>Without what PostgreSQL and mail cannot carry.</summary>
    private static string Clean(string text) =>
        text.AsSpan().ContainsAny(s_control) ? new string([.. text.Where(c => !char.IsControl(c) || c is '\n' or '\t')]) : text;

    private static readonly System.Buffers.SearchValues<char> s_control = System.Buffers.SearchValues.Create(
        [.. Enumerable.Range(0, 0xa0).Select(c => (char)c).Where(c => char.IsControl(c) && c is not ('\n' or '\t'))]);

    private static FluidParser CreateParser()
    {
        var parser = new FluidParser();
        foreach (var tag in s_unwanted)
        {
            parser.RegisteredTags.Remove(tag);
        }

        return parser;
    }

    private static TemplateOptions CreateOptions()
    {
        var options = new TemplateOptions { MaxSteps = MaxSteps, MaxRecursion = 20, TimeZone = TimeZoneInfo.Utc };
        TemplateFilters.Restrict(options.Filters);
        options.Assigned = (_, value, _) =>
        {
            TemplateFilters.Check(value);
            return new(value);
        };
        return options;
    }

    /// <summary>The names a template reads, and those it makes itself.</summary>
    private sealed class TemplateNames : AstVisitor
    {
        private readonly HashSet<string> _read = new(StringComparer.OrdinalIgnoreCase);
        private readonly HashSet<string> _own = new(["forloop"], StringComparer.OrdinalIgnoreCase);
        private readonly HashSet<string> _filters = new(StringComparer.Ordinal);
        private bool _ranges;

        public List<string> Unknown(TemplateOptions options)
        {
            var known = LeadFacts.Names;
            var names = _read.Where(name => !_own.Contains(name) && !known.Contains(name, StringComparer.OrdinalIgnoreCase)).Order(StringComparer.Ordinal).ToList();
            var faults = names.ConvertAll(name => $"{Airflow.Quoted.Text(name)} is not known");
            if (names.Count > 0)
            {
                faults.Add("allowed: " + string.Join(", ", known));
            }

            var filters = _filters.Where(name => !options.Filters.TryGetValue(name, out _)).Order(StringComparer.Ordinal).ToList();
            faults.AddRange(filters.Select(name => $"there is no filter {Airflow.Quoted.Text(name)}"));
            if (filters.Count > 0)
            {
                faults.Add("allowed: " + string.Join(", ", TemplateFilters.Allowed));
            }

            if (_ranges)
            {
                faults.Add("ranges such as (1..3) are not allowed");
            }

            return faults;
        }

        protected override Expression VisitMemberExpression(MemberExpression memberExpression)
        {
            if (memberExpression.Segments[0] is IdentifierSegment first)
            {
                _read.Add(first.Identifier);
            }

            return base.VisitMemberExpression(memberExpression);
        }

        protected override Expression VisitFilterExpression(FilterExpression filterExpression)
        {
            _filters.Add(filterExpression.Name);
            return base.VisitFilterExpression(filterExpression);
        }

        protected override Expression VisitRangeExpression(RangeExpression rangeExpression)
        {
            _ranges = true;
            return base.VisitRangeExpression(rangeExpression);
        }

        protected override Statement VisitAssignStatement(AssignStatement assignStatement)
        {
            _own.Add(assignStatement.Identifier);
            return base.VisitAssignStatement(assignStatement);
        }

        protected override Statement VisitCaptureStatement(CaptureStatement captureStatement)
        {
            _own.Add(captureStatement.Identifier);
            return base.VisitCaptureStatement(captureStatement);
        }

        protected override Statement VisitForStatement(ForStatement forStatement)
        {
            _own.Add(forStatement.Identifier);
            return base.VisitForStatement(forStatement);
        }

        protected override Statement VisitIncrementStatement(IncrementStatement incrementStatement)
        {
            _own.Add(incrementStatement.Identifier);
            return base.VisitIncrementStatement(incrementStatement);
        }

        protected override Statement VisitDecrementStatement(DecrementStatement decrementStatement)
        {
            _own.Add(decrementStatement.Identifier);
            return base.VisitDecrementStatement(decrementStatement);
        }
    }
}
