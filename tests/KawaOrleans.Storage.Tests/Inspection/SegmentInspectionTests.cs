using KawaOrleans.Storage.Inspection;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Tests.Simulation;

namespace KawaOrleans.Storage.Tests.Inspection;

public sealed class SegmentInspectionTests
{
    private const string First = "/kawa/logs/10000000000000000000000000000001/30000000000000000000000000000001-0.seg";

    [Fact]
    public async Task An_io_error_is_an_exception_and_never_damage()
    {
        var volume = await VolumeAsync();
        volume.Fault = o => _ = o.Kind == OperationKind.Read && o.Path == First ? throw new IOException("Input/output error") : 0;

        Assert.Throws<SegmentUnreadableException>(() => SegmentInspection.Look(volume, First));
        Assert.Throws<SegmentUnreadableException>(() => SegmentInspection.Verify(volume, First));
    }

    [Fact]
    public async Task Verification_of_an_open_file_agrees_with_recovery_and_sees_what_a_checkpoint_covers()
    {
        var volume = await VolumeAsync();
        var whole = volume.Bytes(First).ToArray();
        var sound = SegmentInspection.Verify(volume, First);
        Assert.Empty(sound.AllDamage);
        Assert.Equal((SegmentState.Open, 0L), (sound.States?.State, sound.TornBytes));
        for (var at = FileLayout.FirstFrame; at < sound.Tail!.Value.Offset; at += 13)
        {
            var changed = whole.ToArray();
            changed[at] ^= (byte)(1 << (int)(at % 8));
            volume.Replace(First, changed);

            var found = SegmentInspection.Verify(volume, First);

            Assert.True(found.Damage.Count > 0 || found.TornBytes > 0, $"offset {at}: nothing was said");
            Assert.All(found.Damage, place => Assert.InRange(place.Offset, FileLayout.FirstFrame, at));
            Assert.Equal(changed, volume.Bytes(First).ToArray());
        }
    }

    [Fact]
    public async Task Every_truncation_is_told()
    {
        var volume = await VolumeAsync();
        var whole = volume.Bytes(First).ToArray();
        for (var length = 512; length < whole.Length; length += 509)
        {
            volume.Replace(First, whole.AsSpan(0, length));

            Assert.NotEmpty(SegmentInspection.Verify(volume, First).Damage);
        }
    }

    private static async Task<SimulatedVolume> VolumeAsync()
    {
        var volume = new SimulatedVolume();
        await new Workload(volume, new StillTime()).AppendAsync();
        return volume;
    }
}
