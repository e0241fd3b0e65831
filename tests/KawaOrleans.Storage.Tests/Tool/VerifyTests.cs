
namespace KawaOrleans.Storage.Tests.Tool;

public sealed class VerifyTests
{
    // Of 40 events: frame header, bounds, and an index of three entries.
    private const int FooterBytes = 40 + 56 + 32;

    [Fact]
    public async Task A_good_directory_is_good_and_no_byte_of_it_changes()
    {
        using var data = await ToolDirectory.MakeAsync();
        var before = data.Bytes();

        var verified = await Invocation.RunAsync("verify", data.Path);

        Assert.Equal((0, "2 segment files, 50 events: all good.\n"), (verified.Code, verified.Output));
        Assert.Equal(before, data.Bytes());
    }

    [Fact]
    public async Task A_torn_tail_is_said_and_is_no_damage_and_is_left_as_it_is()
    {
        using var data = await ToolDirectory.MakeAsync();
        data.Tear();
        var before = data.Bytes();

        var verified = await Invocation.RunAsync("verify", data.Path);

        Assert.Equal(0, verified.Code);
        Assert.Contains($"torn tail: {data.Open} offset {data.OpenTail.Offset}: 96 bytes", verified.Output, StringComparison.Ordinal);
        Assert.Equal(before, data.Bytes());
    }

    /// <summary>The command; what it rests on is held against every place by <see cref="Faults.DamageSweepTests"/>.</summary>
    [Fact]
    public async Task A_flipped_bit_anywhere_in_a_sealed_file_is_listed_where_it_is_and_nothing_is_changed()
    {
        using var data = await ToolDirectory.MakeAsync();
        var whole = await File.ReadAllBytesAsync(data.Sealed);
        var places = Enumerable.Range(0, 2048).Concat(Enumerable.Range(8192, (int)data.SealedEnd.Offset - 8192 + FooterBytes)).Where(static at => at % 401 == 0);
        foreach (var at in places)
        {
            await File.WriteAllBytesAsync(data.Sealed, whole);
            ToolDirectory.Flip(data.Sealed, at);
            var before = data.Bytes();

            var verified = await Invocation.RunAsync("verify", data.Path);

            // A file whose magic is gone is no segment of ours: it could not be used.
            Assert.True(verified.Code == (at is >= 8 and < 16 ? 2 : 1), $"offset {at}: {verified}");
            Assert.Equal(before, data.Bytes());
        }
    }

    [Fact]
    public async Task Every_damaged_place_is_listed_not_only_the_first()
    {
        using var data = await ToolDirectory.MakeAsync();
        ToolDirectory.Flip(data.Sealed, 8192 + 50);
        ToolDirectory.Flip(data.Sealed, data.SealedEnd.Offset - 10);
        ToolDirectory.Flip(data.Open, 8192 + 50);

        var verified = await Invocation.RunAsync("verify", data.Path);

        Assert.Equal(1, verified.Code);
        Assert.Contains($"damaged: {data.Sealed} offset 8192: a frame whose checksum does not match\n", verified.Output, StringComparison.Ordinal);
        Assert.Contains($"damaged: {data.Open} offset 8192: a frame whose checksum does not match\n", verified.Output, StringComparison.Ordinal);
        Assert.Contains(": 3 damaged places.", verified.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_that_a_silo_runs_on_is_refused_but_a_single_sealed_file_of_it_is_read()
    {
        using var data = await ToolDirectory.MakeAsync();
        using var running = NodeStore.Open(data.Path, "node-1");
        foreach (var command in new[] { "inspect", "verify", "dump", "rebuild-index", "repair" })
        {
            var refused = await Invocation.RunAsync(command, data.Path);
            Assert.Equal(2, refused.Code);
            Assert.Contains("in use by another process. One data directory serves one silo", refused.Error, StringComparison.Ordinal);
        }

        Assert.Equal(0, (await Invocation.RunAsync("verify", data.Sealed)).Code);
        var written = await Invocation.RunAsync("verify", data.Open);
        Assert.Equal(2, written.Code);
        Assert.Contains($"{data.Open}: a running silo writes it.", written.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await Invocation.RunAsync("repair", data.Open)).Code);
        Assert.Equal(2, (await Invocation.RunAsync("rebuild-index", data.Sealed)).Code);
    }

    [Fact]
    public async Task What_is_not_ours_could_not_be_used()
    {
        using var data = await ToolDirectory.MakeAsync();
        var foreign = data.Beside("foreign.seg");
        await File.WriteAllTextAsync(foreign, new string('x', 20_000));
        foreach (var command in new[] { "inspect", "verify", "dump", "rebuild-index" })
        {
            var refused = await Invocation.RunAsync(command, foreign);
            Assert.Equal(2, refused.Code);
            Assert.Contains("does not begin like a segment file", refused.Output + refused.Error, StringComparison.Ordinal);
        }

        Assert.Equal(2, (await Invocation.RunAsync("verify", data.Beside("nowhere"))).Code);
        Assert.Equal(2, (await Invocation.RunAsync("verify", Path.GetTempPath())).Code);
        Assert.Equal(2, (await Invocation.RunAsync("no-such-command")).Code);
    }

    [Fact]
    public async Task Two_files_that_changed_places_are_damage_and_a_strange_file_is_told()
    {
        using var data = await ToolDirectory.MakeAsync();
        var aside = data.Beside("aside.seg");
        await File.WriteAllTextAsync(Path.Combine(data.Path, "logs", "notes.txt"), "x");
        Assert.Equal(2, (await Invocation.RunAsync("verify", data.Path)).Code);

        File.Move(data.Sealed, aside);
        File.Move(data.Open, data.Sealed);
        File.Move(aside, data.Open);

        var verified = await Invocation.RunAsync("verify", data.Path);

        Assert.Equal(1, verified.Code);
        Assert.Contains("not the one its name says", verified.Output, StringComparison.Ordinal);
        Assert.Contains("notes.txt: not a file of this store", verified.Error, StringComparison.Ordinal);
    }
}
