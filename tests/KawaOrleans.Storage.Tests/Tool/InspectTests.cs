using System.Text.Json;

namespace KawaOrleans.Storage.Tests.Tool;

public sealed class InspectTests
{
    [Fact]
    public async Task Node_log_and_segments_are_shown_and_nothing_is_changed()
    {
        using var data = await ToolDirectory.MakeAsync();
        data.Tear();
        var before = data.Bytes();

        var shown = await Invocation.RunAsync("inspect", data.Path);
        var json = JsonDocument.Parse((await Invocation.RunAsync("inspect", data.Path, "--json")).Output).RootElement;

        Assert.Equal(0, shown.Code);
        Assert.Contains("node 'node-1'", shown.Output, StringComparison.Ordinal);
        Assert.Contains("orders", shown.Output, StringComparison.Ordinal);
        Assert.Equal("node-1", json.GetProperty("node").GetProperty("name").GetString());
        Assert.Equal(3, json.GetProperty("chains")[0].GetProperty("version").GetInt64());
        var (first, second) = (json.GetProperty("segments")[0], json.GetProperty("segments")[1]);
        Assert.Equal(("Sealed", "Whole", 0, 40), (Text(first, "state"), Text(first, "footer"), Number(first, "base"), Number(first, "end")));
        Assert.Equal(("Open", "NotYet", 40, 50), (Text(second, "state"), Text(second, "footer"), Number(second, "base"), Number(second, "end")));
        Assert.Equal((10, 96), (Number(second, "events"), Number(second, "tornBytes")));
        Assert.Equal(before, data.Bytes());
    }

    [Fact]
    public async Task A_file_that_is_not_trusted_is_shown_with_its_sentence()
    {
        using var data = await ToolDirectory.MakeAsync();
        ToolDirectory.Flip(data.Sealed, 1536 + 20);

        var shown = await Invocation.RunAsync("inspect", data.Path);

        Assert.Equal(1, shown.Code);
        Assert.Contains($"not trusted: {data.Sealed}: damaged at offset 1536: its 'sealed' sector does not verify", shown.Output, StringComparison.Ordinal);
    }

    private static string? Text(JsonElement e, string name) => e.GetProperty(name).GetString();

    private static long Number(JsonElement e, string name) => e.GetProperty(name).GetInt64();
}
