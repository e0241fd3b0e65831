using System.Text;
using System.Text.Json;
using KawaOrleans.Cli;

namespace KawaOrleans.Storage.Tests.Tool;

/// <summary>One call of the tool's command tree, and what it answered.</summary>
internal sealed record Invocation(int Code, string Output, string Error)
{
    public List<JsonElement> Lines() => [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonDocument.Parse(line).RootElement)];

    public static async Task<Invocation> RunAsync(params string[] args)
    {
        var bytes = new MemoryStream();
        using var output = new StreamWriter(bytes, new UTF8Encoding(false), leaveOpen: true) { AutoFlush = true };

        // Never closed: the progress bar draws on a thread of its own, which may write once more after the command has ended.
        var error = new StringWriter();
        var code = await CommandTree.RunAsync(args, Terminal.Of(output, () => bytes, error, redirected: true));
        return new Invocation(code, Encoding.UTF8.GetString(bytes.ToArray()), error.ToString());
    }
}
