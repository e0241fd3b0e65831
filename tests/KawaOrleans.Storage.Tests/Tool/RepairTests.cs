namespace KawaOrleans.Storage.Tests.Tool;

public sealed class RepairTests
{
    [Fact]
    public async Task Nothing_is_changed_where_there_is_nothing_to_repair()
    {
        using var data = await ToolDirectory.MakeAsync();
        var before = data.Bytes();

        Assert.Equal(0, (await Invocation.RunAsync("repair", data.Path)).Code);
        Assert.Equal(0, (await Invocation.RunAsync("rebuild-index", data.Path)).Code);
        Assert.Equal(0, (await Invocation.RunAsync("repair", data.Sealed, "--from", data.Copy(data.Sealed))).Code);

        Assert.Equal(before, data.Bytes());
    }

    [Fact]
    public async Task A_torn_tail_is_cut_aloud_and_the_original_is_kept()
    {
        using var data = await ToolDirectory.MakeAsync();
        data.Tear();
        var torn = await File.ReadAllBytesAsync(data.Open);

        var repaired = await Invocation.RunAsync("repair", data.Path);

        Assert.Equal(0, repaired.Code);
        Assert.Contains($"cut: {data.Open}: 96 bytes of an unfinished write group behind offset {data.OpenTail.Offset}", repaired.Output, StringComparison.Ordinal);
        Assert.Equal(torn, await File.ReadAllBytesAsync(Assert.Single(Directory.GetFiles(Path.Combine(data.Path, "aside")))));
        using var open = Segment.OpenReadOnly(data.Open);
        Assert.Equal((0L, data.OpenTail), (open.TornBytes, open.Tail));
        Assert.Equal(ToolDirectory.Events, (await Invocation.RunAsync("dump", data.Path)).Lines().Count);
    }

    [Fact]
    public async Task Damage_is_not_repaired_without_a_copy()
    {
        using var data = await ToolDirectory.MakeAsync();
        ToolDirectory.Flip(data.Sealed, 8192 + 50);
        ToolDirectory.Flip(data.Open, 8192 + 50);
        var before = data.Bytes();

        var repaired = await Invocation.RunAsync("repair", data.Path);
        var rebuilt = await Invocation.RunAsync("rebuild-index", data.Path);

        Assert.Equal((1, 1), (repaired.Code, rebuilt.Code));
        Assert.Contains($"refused: {data.Sealed}: damaged at offset 8192", repaired.Error, StringComparison.Ordinal);
        Assert.Contains($"refused: {data.Open}: damaged at offset 8192", repaired.Error, StringComparison.Ordinal);
        Assert.Equal(before, data.Bytes());
    }

    [Theory]
    [InlineData(true, 8192 + 50)]
    [InlineData(true, 20)]
    [InlineData(true, 1536 + 20)]
    [InlineData(false, 8192 + 50)]
    public async Task A_good_copy_takes_the_place_of_a_damaged_file(bool isSealed, long at)
    {
        using var data = await ToolDirectory.MakeAsync();
        var file = isSealed ? data.Sealed : data.Open;
        var whole = await File.ReadAllBytesAsync(file);
        var copy = data.Copy(file);
        ToolDirectory.Flip(file, at);
        var damaged = await File.ReadAllBytesAsync(file);

        var repaired = await Invocation.RunAsync("repair", file, "--from", copy);

        Assert.True(repaired.Code == 0, repaired.Error);
        Assert.Equal(whole, await File.ReadAllBytesAsync(file));
        Assert.Equal(damaged, await File.ReadAllBytesAsync(Assert.Single(Directory.GetFiles(Path.Combine(data.Path, "aside")))));
        Assert.Equal(0, (await Invocation.RunAsync("verify", data.Path)).Code);
    }

    [Fact]
    public async Task A_copy_that_is_damaged_or_another_segment_or_older_is_refused()
    {
        using var data = await ToolDirectory.MakeAsync();
        var (bad, other, older) = (data.Beside("bad.seg"), data.Beside("other.seg"), data.Beside("older.seg"));
        File.Copy(data.Sealed, bad);
        ToolDirectory.Flip(bad, 8192 + 300);
        File.Copy(data.Open, other);
        File.Copy(data.Open, older);
        using (var store = NodeStore.Open(data.Path, "node-1"))
        {
            var open = store.CurrentWriteSegment(Sample.LogId)!;
            await open.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Batch(50, 5));
        }

        ToolDirectory.Flip(data.Sealed, 8192 + 50);
        ToolDirectory.Flip(data.Open, 8192 + 50);
        var before = data.Bytes();

        await AssertRefusedAsync("is itself damaged at offset", data.Sealed, bad);
        await AssertRefusedAsync("the damaged file is 30000000000000000000000000000001-0, epoch 1", data.Sealed, other);
        await AssertRefusedAsync("it is older", data.Open, older);
        ToolDirectory.Flip(data.Open, 1536 + 20);
        await AssertRefusedAsync("the copy is not sealed", data.Open, older);
        ToolDirectory.Flip(data.Open, 1536 + 20);
        Assert.Equal(before, data.Bytes());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_missing_or_broken_footer_is_written_anew_and_no_frame_changes(bool missing)
    {
        using var data = await ToolDirectory.MakeAsync();
        var whole = await File.ReadAllBytesAsync(data.Sealed);
        if (missing)
        {
            ToolDirectory.Write(data.Sealed, data.SealedEnd.Offset, new byte[whole.Length - data.SealedEnd.Offset]);
        }
        else
        {
            ToolDirectory.Flip(data.Sealed, data.SealedEnd.Offset + 60);
        }

        Assert.Equal(missing ? 0 : 1, (await Invocation.RunAsync("verify", data.Path)).Code);
        var rebuilt = await Invocation.RunAsync("rebuild-index", data.Path);

        Assert.Equal(0, rebuilt.Code);
        Assert.Contains($"written: {data.Sealed}", rebuilt.Output, StringComparison.Ordinal);
        Assert.Equal(whole, await File.ReadAllBytesAsync(data.Sealed));
    }

    private static async Task AssertRefusedAsync(string reason, string file, string copy)
    {
        var refused = await Invocation.RunAsync("repair", file, "--from", copy);
        Assert.Equal(1, refused.Code);
        Assert.Contains(reason, refused.Error, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed.", refused.Error, StringComparison.Ordinal);
    }
}
