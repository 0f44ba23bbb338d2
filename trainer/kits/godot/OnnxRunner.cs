// Runs ONNX files by Microsoft.ML.OnnxRuntime: dotnet add package Microsoft.ML.OnnxRuntime
using System.Linq;
using Godot;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

// The names of the methods are those that GDScript calls, as in the class OnnxLoader.
public partial class OnnxRunner : RefCounted
{
    private InferenceSession _session;

    public bool load_model(string path)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        try
        {
            _session = new InferenceSession(path, options);
        }
        catch (OnnxRuntimeException error)
        {
            GD.PushError(error.Message);
        }
        return _session != null;
    }

    public float[] predict(float[] image) => Run(Image(image));

    public float[] predict_pair(float[] image, float[] expected) =>
        Run(Image(image), Input("expected", expected, 1, 5));

    private static NamedOnnxValue Image(float[] image) => Input("image", image, 1, 1, 32, 128);

    private static NamedOnnxValue Input(string name, float[] values, params int[] shape) =>
        NamedOnnxValue.CreateFromTensor(name, new DenseTensor<float>(values, shape));

    private float[] Run(params NamedOnnxValue[] inputs)
    {
        try
        {
            using var outputs = _session.Run(inputs);
            return outputs.First().AsTensor<float>().ToArray();
        }
        catch (OnnxRuntimeException error)
        {
            GD.PushError(error.Message);
            return new float[0]; // which reader.gd takes for a fault
        }
    }
}
