#include "ml/training/pickle_names.h"

#include <algorithm>

#include "base/text.h"

namespace gyre::training {
namespace {

struct Module {
  std::string_view name;
  std::string_view holds;  // with spaces between them
};

// What pickles of fitted estimators name, by scikit-learn 1.9 and, where it was called otherwise,
// by versions since 0.22. In order. Not here, though harmless by their looks: distributions of
// scipy.stats run text of their state, ufuncs of numpy are found by any module's name.
constexpr Module kModules[] = {
    {"__builtin__", "object set slice"},
    {"_codecs", "encode"},
    {"_loss",
     "CyAbsoluteError CyExponentialLoss CyHalfBinomialLoss CyHalfGammaLoss "
     "CyHalfMultinomialLoss CyHalfPoissonLoss CyHalfSquaredError CyHalfTweedieLoss "
     "CyHalfTweedieLossIdentity CyHuberLoss CyPinballLoss __pyx_unpickle_CyAbsoluteError "
     "__pyx_unpickle_CyExponentialLoss __pyx_unpickle_CyHalfBinomialLoss "
     "__pyx_unpickle_CyHalfGammaLoss __pyx_unpickle_CyHalfMultinomialLoss "
     "__pyx_unpickle_CyHalfPoissonLoss __pyx_unpickle_CyHalfSquaredError "
     "__pyx_unpickle_CyHalfTweedieLoss __pyx_unpickle_CyHalfTweedieLossIdentity "
     "__pyx_unpickle_CyHuberLoss __pyx_unpickle_CyPinballLoss"},
    {"builtins",
     "bool bytearray bytes complex dict float frozenset int list object range set slice str "
     "tuple"},
    {"collections", "OrderedDict defaultdict"},
    {"copy_reg", "_reconstructor"},
    {"copyreg", "_reconstructor"},
    {"joblib.numpy_pickle", "NumpyArrayWrapper"},
    {"numpy",
     "bool bool_ bytes bytes_ complex128 complex64 datetime64 dtype float16 float32 float64 "
     "int16 int32 int64 int8 longlong mean ndarray object_ str str_ timedelta64 uint16 uint32 "
     "uint64 uint8 ulonglong"},
    {"numpy._core.multiarray", "_reconstruct scalar"},
    {"numpy._core.numeric", "_frombuffer"},
    {"numpy.core.multiarray", "_reconstruct scalar"},
    {"numpy.core.numeric", "_frombuffer"},
    {"numpy.ma", "MaskedArray"},
    {"numpy.ma.core", "_mareconstruct"},
    {"numpy.random", "RandomState"},
    {"numpy.random._generator", "Generator"},
    {"numpy.random._mt19937", "MT19937"},
    {"numpy.random._pcg64", "PCG64 PCG64DXSM"},
    {"numpy.random._philox", "Philox"},
    {"numpy.random._pickle", "__bit_generator_ctor __generator_ctor __randomstate_ctor"},
    {"numpy.random._sfc64", "SFC64"},
    {"numpy.random.bit_generator", "SeedSequence __pyx_unpickle_SeedSequence"},
    {"numpy.random.mtrand", "RandomState"},
    {"pandas._libs.internals", "_unpickle_block"},
    {"scipy.interpolate._bsplines", "BSpline"},
    {"scipy.interpolate._interpolate", "interp1d"},
    {"scipy.interpolate.interpolate", "interp1d"},
    {"scipy.sparse._bsr", "bsr_array bsr_matrix"},
    {"scipy.sparse._coo", "coo_array coo_matrix"},
    {"scipy.sparse._csc", "csc_array csc_matrix"},
    {"scipy.sparse._csr", "csr_array csr_matrix"},
    {"scipy.sparse._dia", "dia_array dia_matrix"},
    {"scipy.sparse._dok", "dok_array dok_matrix"},
    {"scipy.sparse._lil", "lil_array lil_matrix"},
    {"scipy.sparse.bsr", "bsr_matrix"},
    {"scipy.sparse.coo", "coo_matrix"},
    {"scipy.sparse.csc", "csc_matrix"},
    {"scipy.sparse.csr", "csr_matrix"},
    {"scipy.sparse.dia", "dia_matrix"},
    {"scipy.sparse.dok", "dok_matrix"},
    {"scipy.sparse.lil", "lil_matrix"},
    {"sklearn._loss._loss",
     "CyAbsoluteError CyExponentialLoss CyHalfBinomialLoss CyHalfGammaLoss "
     "CyHalfMultinomialLoss CyHalfPoissonLoss CyHalfSquaredError CyHalfTweedieLoss "
     "CyHalfTweedieLossIdentity CyHuberLoss CyPinballLoss __pyx_unpickle_CyAbsoluteError "
     "__pyx_unpickle_CyExponentialLoss __pyx_unpickle_CyHalfBinomialLoss "
     "__pyx_unpickle_CyHalfGammaLoss __pyx_unpickle_CyHalfMultinomialLoss "
     "__pyx_unpickle_CyHalfPoissonLoss __pyx_unpickle_CyHalfSquaredError "
     "__pyx_unpickle_CyHalfTweedieLoss __pyx_unpickle_CyHalfTweedieLossIdentity "
     "__pyx_unpickle_CyHuberLoss __pyx_unpickle_CyPinballLoss"},
    {"sklearn._loss.link",
     "HalfLogitLink IdentityLink Interval LogLink LogitLink MultinomialLogit"},
    {"sklearn._loss.loss",
     "AbsoluteError ExponentialLoss HalfBinomialLoss HalfGammaLoss HalfMultinomialLoss "
     "HalfPoissonLoss HalfSquaredError HalfTweedieLoss HalfTweedieLossIdentity HuberLoss "
     "PinballLoss"},
    {"sklearn.calibration",
     "CalibratedClassifierCV _CalibratedClassifier _IsotonicCalibration _SigmoidCalibration "
     "_TemperatureScaling"},
    {"sklearn.cluster._affinity_propagation", "AffinityPropagation"},
    {"sklearn.cluster._agglomerative", "AgglomerativeClustering FeatureAgglomeration"},
    {"sklearn.cluster._bicluster", "SpectralBiclustering SpectralCoclustering"},
    {"sklearn.cluster._birch", "Birch _CFNode _CFSubcluster"},
    {"sklearn.cluster._bisect_k_means", "BisectingKMeans _BisectingTree"},
    {"sklearn.cluster._dbscan", "DBSCAN"},
    {"sklearn.cluster._hdbscan.hdbscan", "HDBSCAN"},
    {"sklearn.cluster._kmeans", "KMeans MiniBatchKMeans _kmeans_single_lloyd"},
    {"sklearn.cluster._mean_shift", "MeanShift"},
    {"sklearn.cluster._optics", "OPTICS"},
    {"sklearn.cluster._spectral", "SpectralClustering"},
    {"sklearn.compose._column_transformer", "ColumnTransformer"},
    {"sklearn.compose._target", "TransformedTargetRegressor"},
    {"sklearn.covariance._elliptic_envelope", "EllipticEnvelope"},
    {"sklearn.covariance._empirical_covariance", "EmpiricalCovariance"},
    {"sklearn.covariance._graph_lasso", "GraphicalLasso GraphicalLassoCV"},
    {"sklearn.covariance._robust_covariance", "MinCovDet"},
    {"sklearn.covariance._shrunk_covariance", "LedoitWolf OAS ShrunkCovariance"},
    {"sklearn.cross_decomposition._pls", "CCA PLSCanonical PLSRegression PLSSVD"},
    {"sklearn.decomposition._dict_learning",
     "DictionaryLearning MiniBatchDictionaryLearning SparseCoder"},
    {"sklearn.decomposition._factor_analysis", "FactorAnalysis"},
    {"sklearn.decomposition._fastica", "FastICA"},
    {"sklearn.decomposition._incremental_pca", "IncrementalPCA"},
    {"sklearn.decomposition._kernel_pca", "KernelPCA"},
    {"sklearn.decomposition._lda", "LatentDirichletAllocation"},
    {"sklearn.decomposition._nmf", "MiniBatchNMF NMF"},
    {"sklearn.decomposition._pca", "PCA"},
    {"sklearn.decomposition._sparse_pca", "MiniBatchSparsePCA SparsePCA"},
    {"sklearn.decomposition._truncated_svd", "TruncatedSVD"},
    {"sklearn.discriminant_analysis", "LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis"},
    {"sklearn.dummy", "DummyClassifier DummyRegressor"},
    {"sklearn.ensemble._bagging", "BaggingClassifier BaggingRegressor"},
    {"sklearn.ensemble._forest",
     "ExtraTreesClassifier ExtraTreesRegressor RandomForestClassifier RandomForestRegressor "
     "RandomTreesEmbedding"},
    {"sklearn.ensemble._gb", "GradientBoostingClassifier GradientBoostingRegressor"},
    {"sklearn.ensemble._gb_losses",
     "BinomialDeviance ExponentialLoss HuberLossFunction LeastAbsoluteError LeastSquaresError "
     "MultinomialDeviance QuantileLossFunction"},
    {"sklearn.ensemble._hist_gradient_boosting.binning", "_BinMapper"},
    {"sklearn.ensemble._hist_gradient_boosting.gradient_boosting",
     "HistGradientBoostingClassifier HistGradientBoostingRegressor"},
    {"sklearn.ensemble._hist_gradient_boosting.loss",
     "BinaryCrossEntropy CategoricalCrossEntropy LeastAbsoluteDeviation LeastSquares Poisson"},
    {"sklearn.ensemble._hist_gradient_boosting.predictor", "TreePredictor"},
    {"sklearn.ensemble._iforest", "IsolationForest"},
    {"sklearn.ensemble._stacking", "StackingClassifier StackingRegressor"},
    {"sklearn.ensemble._voting", "VotingClassifier VotingRegressor"},
    {"sklearn.ensemble._weight_boosting", "AdaBoostClassifier AdaBoostRegressor"},
    {"sklearn.feature_extraction._dict_vectorizer", "DictVectorizer"},
    {"sklearn.feature_extraction._hash", "FeatureHasher"},
    {"sklearn.feature_extraction.image", "PatchExtractor"},
    {"sklearn.feature_extraction.text",
     "CountVectorizer HashingVectorizer TfidfTransformer TfidfVectorizer"},
    {"sklearn.feature_selection._from_model", "SelectFromModel"},
    {"sklearn.feature_selection._mutual_info", "mutual_info_classif mutual_info_regression"},
    {"sklearn.feature_selection._rfe", "RFE RFECV"},
    {"sklearn.feature_selection._sequential", "SequentialFeatureSelector"},
    {"sklearn.feature_selection._univariate_selection",
     "GenericUnivariateSelect SelectFdr SelectFpr SelectFwe SelectKBest SelectPercentile chi2 "
     "f_classif f_regression"},
    {"sklearn.feature_selection._variance_threshold", "VarianceThreshold"},
    {"sklearn.frozen._frozen", "FrozenEstimator"},
    {"sklearn.gaussian_process._gpc",
     "GaussianProcessClassifier _BinaryGaussianProcessClassifierLaplace"},
    {"sklearn.gaussian_process._gpr", "GaussianProcessRegressor"},
    {"sklearn.gaussian_process.kernels",
     "CompoundKernel ConstantKernel DotProduct ExpSineSquared Exponentiation Hyperparameter "
     "Matern PairwiseKernel Product RBF RationalQuadratic Sum WhiteKernel"},
    {"sklearn.impute._base", "MissingIndicator SimpleImputer"},
    {"sklearn.impute._iterative", "IterativeImputer _ImputerTriplet"},
    {"sklearn.impute._knn", "KNNImputer"},
    {"sklearn.isotonic", "IsotonicRegression"},
    {"sklearn.kernel_approximation",
     "AdditiveChi2Sampler Nystroem PolynomialCountSketch RBFSampler SkewedChi2Sampler"},
    {"sklearn.kernel_ridge", "KernelRidge"},
    {"sklearn.linear_model._base", "LinearRegression MultiOutputLinearModel"},
    {"sklearn.linear_model._bayes", "ARDRegression BayesianRidge"},
    {"sklearn.linear_model._coordinate_descent",
     "ElasticNet ElasticNetCV Lasso LassoCV MultiTaskElasticNet MultiTaskElasticNetCV "
     "MultiTaskLasso MultiTaskLassoCV"},
    {"sklearn.linear_model._glm.glm", "GammaRegressor PoissonRegressor TweedieRegressor"},
    {"sklearn.linear_model._huber", "HuberRegressor"},
    {"sklearn.linear_model._least_angle", "Lars LarsCV LassoLars LassoLarsCV LassoLarsIC"},
    {"sklearn.linear_model._logistic", "LogisticRegression LogisticRegressionCV"},
    {"sklearn.linear_model._omp", "OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV"},
    {"sklearn.linear_model._passive_aggressive",
     "PassiveAggressiveClassifier PassiveAggressiveRegressor"},
    {"sklearn.linear_model._perceptron", "Perceptron"},
    {"sklearn.linear_model._quantile", "QuantileRegressor"},
    {"sklearn.linear_model._ransac", "RANSACRegressor"},
    {"sklearn.linear_model._ridge",
     "Ridge RidgeCV RidgeClassifier RidgeClassifierCV _IdentityClassifier _IdentityRegressor "
     "_RidgeGCV"},
    {"sklearn.linear_model._sgd_fast",
     "EpsilonInsensitive Hinge Huber Log ModifiedHuber SquaredEpsilonInsensitive SquaredHinge "
     "SquaredLoss"},
    {"sklearn.linear_model._stochastic_gradient", "SGDClassifier SGDOneClassSVM SGDRegressor"},
    {"sklearn.linear_model._theil_sen", "TheilSenRegressor"},
    {"sklearn.manifold._classical_mds", "ClassicalMDS"},
    {"sklearn.manifold._isomap", "Isomap"},
    {"sklearn.manifold._locally_linear", "LocallyLinearEmbedding"},
    {"sklearn.manifold._mds", "MDS"},
    {"sklearn.manifold._spectral_embedding", "SpectralEmbedding"},
    {"sklearn.manifold._t_sne", "TSNE"},
    {"sklearn.metrics._classification",
     "accuracy_score balanced_accuracy_score brier_score_loss d2_brier_score "
     "d2_log_loss_score f1_score jaccard_score log_loss matthews_corrcoef precision_score "
     "recall_score"},
    {"sklearn.metrics._dist_metrics",
     "ChebyshevDistance ChebyshevDistance32 ChebyshevDistance64 EuclideanDistance "
     "EuclideanDistance32 EuclideanDistance64 HammingDistance HammingDistance32 "
     "HammingDistance64 HaversineDistance HaversineDistance32 HaversineDistance64 "
     "ManhattanDistance ManhattanDistance32 ManhattanDistance64 MinkowskiDistance "
     "MinkowskiDistance32 MinkowskiDistance64 SEuclideanDistance SEuclideanDistance32 "
     "SEuclideanDistance64 newObj"},
    {"sklearn.metrics._ranking", "average_precision_score roc_auc_score top_k_accuracy_score"},
    {"sklearn.metrics._regression",
     "d2_absolute_error_score explained_variance_score max_error mean_absolute_error "
     "mean_absolute_percentage_error mean_gamma_deviance mean_poisson_deviance "
     "mean_squared_error mean_squared_log_error median_absolute_error r2_score "
     "root_mean_squared_error root_mean_squared_log_error"},
    {"sklearn.metrics._scorer",
     "_CurveScorer _PassthroughScorer _PredictScorer _ProbaScorer _Scorer _ThresholdScorer "
     "_passthrough_scorer negative_likelihood_ratio positive_likelihood_ratio"},
    {"sklearn.metrics.cluster._supervised",
     "adjusted_mutual_info_score adjusted_rand_score completeness_score fowlkes_mallows_score "
     "homogeneity_score mutual_info_score normalized_mutual_info_score rand_score "
     "v_measure_score"},
    {"sklearn.mixture._bayesian_mixture", "BayesianGaussianMixture"},
    {"sklearn.mixture._gaussian_mixture", "GaussianMixture"},
    {"sklearn.model_selection._classification_threshold",
     "FixedThresholdClassifier TunedThresholdClassifierCV"},
    {"sklearn.model_selection._search", "GridSearchCV RandomizedSearchCV"},
    {"sklearn.model_selection._search_successive_halving",
     "HalvingGridSearchCV HalvingRandomSearchCV"},
    {"sklearn.model_selection._split",
     "GroupKFold GroupShuffleSplit KFold LeaveOneOut PredefinedSplit RepeatedKFold "
     "RepeatedStratifiedKFold ShuffleSplit StratifiedGroupKFold StratifiedKFold "
     "StratifiedShuffleSplit TimeSeriesSplit"},
    {"sklearn.multiclass",
     "OneVsOneClassifier OneVsRestClassifier OutputCodeClassifier _ConstantPredictor"},
    {"sklearn.multioutput",
     "ClassifierChain MultiOutputClassifier MultiOutputRegressor RegressorChain"},
    {"sklearn.naive_bayes", "BernoulliNB CategoricalNB ComplementNB GaussianNB MultinomialNB"},
    {"sklearn.neighbors._ball_tree", "BallTree BallTree32 BallTree64 newObj"},
    {"sklearn.neighbors._classification", "KNeighborsClassifier RadiusNeighborsClassifier"},
    {"sklearn.neighbors._graph", "KNeighborsTransformer RadiusNeighborsTransformer"},
    {"sklearn.neighbors._kd_tree", "KDTree KDTree32 KDTree64 newObj"},
    {"sklearn.neighbors._kde", "KernelDensity"},
    {"sklearn.neighbors._lof", "LocalOutlierFactor"},
    {"sklearn.neighbors._nca", "NeighborhoodComponentsAnalysis"},
    {"sklearn.neighbors._nearest_centroid", "NearestCentroid"},
    {"sklearn.neighbors._regression", "KNeighborsRegressor RadiusNeighborsRegressor"},
    {"sklearn.neighbors._unsupervised", "NearestNeighbors"},
    {"sklearn.neural_network._multilayer_perceptron", "MLPClassifier MLPRegressor"},
    {"sklearn.neural_network._rbm", "BernoulliRBM"},
    {"sklearn.neural_network._stochastic_optimizers", "AdamOptimizer SGDOptimizer"},
    {"sklearn.pipeline", "FeatureUnion Pipeline"},
    {"sklearn.preprocessing._data",
     "Binarizer KernelCenterer MaxAbsScaler MinMaxScaler Normalizer PolynomialFeatures "
     "PowerTransformer QuantileTransformer RobustScaler StandardScaler"},
    {"sklearn.preprocessing._discretization", "KBinsDiscretizer"},
    {"sklearn.preprocessing._encoders", "OneHotEncoder OrdinalEncoder"},
    {"sklearn.preprocessing._function_transformer", "FunctionTransformer"},
    {"sklearn.preprocessing._label", "LabelBinarizer LabelEncoder MultiLabelBinarizer"},
    {"sklearn.preprocessing._polynomial", "PolynomialFeatures SplineTransformer"},
    {"sklearn.preprocessing._target_encoder", "TargetEncoder"},
    {"sklearn.random_projection", "GaussianRandomProjection SparseRandomProjection"},
    {"sklearn.semi_supervised._label_propagation", "LabelPropagation LabelSpreading"},
    {"sklearn.semi_supervised._self_training", "SelfTrainingClassifier"},
    {"sklearn.svm._classes", "LinearSVC LinearSVR NuSVC NuSVR OneClassSVM SVC SVR"},
    {"sklearn.tree._classes",
     "DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier ExtraTreeRegressor"},
    {"sklearn.tree._tree", "Tree"},
    {"sklearn.utils", "Bunch"},
    {"sklearn.utils._bunch", "Bunch"},
    {"sklearn.utils._metadata_requests", "MetadataRequest MethodMetadataRequest"},
};

}  // namespace

bool IsKnownName(std::string_view module, std::string_view name) {
  const auto* const found = std::ranges::lower_bound(kModules, module, {}, &Module::name);
  if (found == std::end(kModules) || found->name != module) return false;
  const auto names = Split(found->holds, ' ');
  return std::ranges::find(names, name) != names.end();
}

}  // namespace gyre::training
