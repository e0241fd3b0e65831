namespace KawaOrleans.Storage.Tests.Tool;

public sealed class DumpTests
{
    [Fact]
    public async Task Every_event_is_a_line_in_position_order()
    {
        using var data = await ToolDirectory.MakeAsync();

        var dumped = await Invocation.RunAsync("dump", data.Path);

        Assert.Equal((0, ""), (dumped.Code, dumped.Error));
        Assert.Equal(Enumerable.Range(0, ToolDirectory.Events).Select(static n => (long)n), dumped.Lines().Select(static l => l.GetProperty("position").GetInt64()));
        var expected = Sample.Event(6);
        var sixth = dumped.Lines()[6];
        Assert.Equal(expected.Stream, sixth.GetProperty("stream").GetString());
        Assert.Equal(expected.Type, sixth.GetProperty("type").GetString());
        Assert.Equal(expected.Id, sixth.GetProperty("id").GetGuid());
        Assert.Equal(expected.Occurred, sixth.GetProperty("time").GetDateTimeOffset());
        Assert.Equal(expected.Data.ToArray(), sixth.GetProperty("dataBase64").GetBytesFromBase64());
        Assert.Equal(expected.Metadata.ToArray(), sixth.GetProperty("metadataBase64").GetBytesFromBase64());
        Assert.Equal(0, sixth.GetProperty("revision").GetInt64());
        Assert.True(sixth.TryGetProperty("recorded", out _));
        Assert.Equal(42, dumped.Lines()[ToolDirectory.SealedEvents].GetProperty("data").GetProperty("total").GetInt32());
        Assert.Equal(1, dumped.Lines()[ToolDirectory.SealedEvents].GetProperty("metadata")[0].GetInt32());
    }

    [Fact]
    public async Task A_range_is_dumped_across_segments_and_of_one_file()
    {
        using var data = await ToolDirectory.MakeAsync();
        data.Tear();

        var both = await Invocation.RunAsync("dump", data.Path, "--from", "38", "--to", "43");
        var one = await Invocation.RunAsync("dump", data.Open, "--from", "48");

        Assert.Equal([38L, 39, 40, 41, 42], both.Lines().Select(static l => l.GetProperty("position").GetInt64()));
        Assert.Equal([48L, 49], one.Lines().Select(static l => l.GetProperty("position").GetInt64()));
    }

    [Fact]
    public async Task What_is_said_of_streams_is_dumped_in_words()
    {
        var folder = Directory.CreateTempSubdirectory("kawa-dump-");
        try
        {
            var file = Path.Combine(folder.FullName, "one.seg");
            using (var segment = Segment.Create(file, Sample.Header()))
            {
                var writer = segment.OpenWriter(Guid.NewGuid());
                await writer.AppendAsync(StreamChange.SetMetadata("s", new StreamMetadata { TruncateBefore = 7, MaxCount = 2, MaxAge = TimeSpan.FromDays(3) }));
                await writer.AppendAsync(StreamChange.Delete("s", StreamMetadata.None, 0));
            }

            var dumped = await Invocation.RunAsync("dump", file);

            Assert.Equal((0, ""), (dumped.Code, dumped.Error));
            Assert.Equal(["$metadata", "$metadata", "$deleted"], dumped.Lines().Select(static l => l.GetProperty("type").GetString()));
            Assert.Equal("""{"truncateBefore":7,"maxCount":2,"maxAge":"3.00:00:00"}""", dumped.Lines()[0].GetProperty("streamMetadata").GetRawText());
            Assert.Equal("""{"truncateBefore":1}""", dumped.Lines()[1].GetProperty("streamMetadata").GetRawText());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>A mistyped name was answered like a log without events.</summary>
    [Fact]
    public async Task A_log_that_is_not_there_is_refused_with_the_names_of_those_that_are()
    {
        using var data = await ToolDirectory.MakeAsync();

        var refused = await Invocation.RunAsync("dump", data.Path, "--log", "oders");

        Assert.Equal((2, ""), (refused.Code, refused.Output));
        Assert.Contains("There is no log 'oders' here, only: orders.", refused.Error, StringComparison.Ordinal);
        Assert.Equal(ToolDirectory.Events, (await Invocation.RunAsync("dump", data.Path, "--log", "orders")).Lines().Count);
    }

    [Fact]
    public async Task Damage_ends_a_dump_with_the_place_and_what_was_before_it_is_there()
    {
        using var data = await ToolDirectory.MakeAsync();
        ToolDirectory.Flip(data.Sealed, data.SealedEnd.Offset - 10);

        var dumped = await Invocation.RunAsync("dump", data.Path);

        Assert.Equal(1, dumped.Code);
        Assert.Contains($"{data.Sealed}: damaged at offset", dumped.Error, StringComparison.Ordinal);
        Assert.Equal(ToolDirectory.SealedEvents - 1, dumped.Lines().Count);
    }
}
